// SPDX-License-Identifier: Apache-2.0

package history

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// AppendJSON appends the operation as one line of JSONL, with its newline.
// The error says which text is not UTF-8: JSON can't hold it unchanged.
func (o *Op) AppendJSON(b []byte) ([]byte, error) {
	for _, s := range []string{o.Key, o.Value.s, o.Expected.s, o.Observed.s, o.Host, o.Writer, o.ObservedWriter, o.Session, string(o.Kind), o.by().Host} {
		if !utf8.ValidString(s) {
			return b, fmt.Errorf("operation of client %d on key %q holds %q, which is not UTF-8", o.Client, o.Key, s)
		}
	}
	b = append(b, `{"client":`...)
	b = strconv.AppendInt(b, o.Client, 10)
	b = appendField(b, "key", o.Key)
	b = appendField(b, "op", string(o.Kind))
	b = appendValue(b, "value", o.Value)
	b = appendValue(b, "expected", o.Expected)
	b = appendValue(b, "observed", o.Observed)
	b = append(b, `,"call":`...)
	b = strconv.AppendInt(b, o.Call, 10)
	if o.Outcome != Unknown {
		b = append(b, `,"return":`...)
		b = strconv.AppendInt(b, o.Return, 10)
	}
	b = appendField(b, "outcome", string(o.Outcome))
	b = o.appendOptional(b)
	return append(b, '}', '\n'), nil
}

func (o *Op) appendOptional(b []byte) []byte {
	if o.Refuted {
		b = append(b, `,"refuted":true`...)
	}
	by := o.by()
	for _, f := range [...]struct{ name, s string }{
		{"writer", o.Writer}, {"observed_writer", o.ObservedWriter}, {"host", o.Host}, {"by_host", by.Host}, {"session", o.Session},
	} {
		if f.s != "" {
			b = appendField(b, f.name, f.s)
		}
	}
	for _, f := range [...]struct {
		name string
		n    uint64
	}{{"by_node", by.Node}, {"by_term", by.Term}, {"by_applied", by.Applied}, {"cluster", o.Cluster}, {"seq", o.Seq}, {"id", o.ID}} {
		if f.n != 0 {
			b = append(b, `,"`...)
			b = append(b, f.name...)
			b = append(b, `":`...)
			b = strconv.AppendUint(b, f.n, 10)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Extra)) {
		b = append(b, ',')
		b = appendString(b, name)
		b = append(b, ':')
		b = append(b, o.Extra[name]...)
	}
	return b
}

// by is what is stated of the replica that answered.
func (o *Op) by() Replica {
	if o.By == nil {
		return Replica{}
	}
	return *o.By
}

func appendField(b []byte, name, s string) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return appendString(b, s)
}

func appendValue(b []byte, name string, v Value) []byte {
	if !v.Stated() {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	switch v.kind {
	case absent:
		return append(b, "null"...)
	case text:
		return appendString(b, v.s)
	default:
		return append(b, v.s...)
	}
}

func appendString(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
