// SPDX-License-Identifier: Apache-2.0

package raftstate

import (
	"reflect"
	"unsafe"
)

// missingField is what at panics with.
type missingField struct{ in, name string }

// at follows the names of fields, through pointers and interfaces on the way,
// and returns the last one with the right to read it. The value it starts from
// is a pointer, or addressable.
func at(v reflect.Value, names ...string) reflect.Value {
	for _, name := range names {
		for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct {
			panic(missingField{v.Kind().String(), name})
		}
		f := v.FieldByName(name)
		if !f.IsValid() {
			panic(missingField{v.Type().String(), name})
		}
		v = reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
	}
	return v
}

// number is at for an unsigned number.
func number(v reflect.Value, names ...string) uint64 {
	f := at(v, names...)
	if !f.CanUint() {
		panic(missingField{v.Type().String(), names[len(names)-1] + " that is an unsigned number"})
	}
	return f.Uint()
}
