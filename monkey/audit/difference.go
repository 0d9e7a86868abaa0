// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"strings"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
)

// difference names the fields in which two states differ: of hosts and clusters those of
// the first that does.
func difference(s, o *db.State) string {
	fields := differing(reflect.ValueOf(*s), reflect.ValueOf(*o))
	for id, h := range s.Hosts.All() {
		if x := o.Hosts.At(id); x != nil && sum(reflect.ValueOf(h)) != sum(reflect.ValueOf(x)) {
			fields = append(fields, fmt.Sprintf("host %s: %s", id, strings.Join(differing(reflect.ValueOf(*h), reflect.ValueOf(*x)), ", ")))
			break
		}
	}
	for id, c := range s.Clusters.All() {
		if x := o.Clusters.At(id); x != nil && sum(reflect.ValueOf(c)) != sum(reflect.ValueOf(x)) {
			fields = append(fields, fmt.Sprintf("cluster %d: %s", id, strings.Join(differing(reflect.ValueOf(*c), reflect.ValueOf(*x)), ", ")))
			break
		}
	}
	return strings.Join(fields, "; ")
}

// differing lists the exported fields of two structs that differ.
func differing(a, b reflect.Value) []string {
	var fields []string
	for i := range a.NumField() {
		if f := a.Type().Field(i); f.IsExported() && sum(a.Field(i)) != sum(b.Field(i)) {
			fields = append(fields, f.Name)
		}
	}
	return fields
}

func sum(v reflect.Value) string {
	d := dump{sha256.New()}
	d.value(v)
	return string(d.Sum(nil))
}
