// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"reflect"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Digest identifies a state by all that its exported fields say, as Go has them: it does
// not go by what a snapshot has of them.
func Digest(s *db.State) string {
	d := dump{sha256.New()}
	d.value(reflect.ValueOf(s))
	return hex.EncodeToString(d.Sum(nil))
}

type dump struct{ hash.Hash }

func (d dump) value(v reflect.Value) {
	switch x := v.Interface().(type) {
	case proto.Message:
		if v.IsNil() {
			d.text("nil")
			return
		}
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(x)
		d.text(string(data), err)
		return
	case ordmap.Map[string, *db.Host]:
		dumpMap(d, x)
		return
	case ordmap.Map[string, string]:
		dumpMap(d, x)
		return
	case ordmap.Map[uint64, *db.Cluster]:
		dumpMap(d, x)
		return
	case ordmap.Map[uint64, db.Tombstone]:
		dumpMap(d, x)
		return
	case ordmap.Map[uint64, *pb.Operation]:
		dumpMap(d, x)
		return
	case ordmap.Map[uint64, int]:
		dumpMap(d, x)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			d.text("nil")
			return
		}
		d.value(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				d.text(f.Name)
				d.value(v.Field(i))
			}
		}
	case reflect.Slice:
		d.text(v.Len())
		for i := range v.Len() {
			d.value(v.Index(i))
		}
	case reflect.Map, reflect.Interface, reflect.Func, reflect.Chan:
		panic(fmt.Sprintf("a state of DrummerDB has a %s, which the audit does not know", v.Type()))
	default:
		d.text(v.Interface())
	}
}

func (d dump) text(values ...any) {
	_, _ = fmt.Fprint(d, values...)
	_, _ = d.Write([]byte{0})
}

func dumpMap[K interface{ ~string | ~uint64 }, V any](d dump, m ordmap.Map[K, V]) {
	d.text(m.Len())
	for k, v := range m.All() {
		d.text(k)
		d.value(reflect.ValueOf(v))
	}
}
