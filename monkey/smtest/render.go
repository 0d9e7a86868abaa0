// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// maxRenderDepth bounds how deep render follows a value. Answers are not
// deeper, unless they are cyclic.
const maxRenderDepth = 20

// render writes the content of a value as text, the same for equal contents:
// bytes and errors as they are, what has a String method by it, everything
// else field by field, through pointers and with the keys of maps in order.
func render(v any) string {
	var out strings.Builder
	renderValue(&out, reflect.ValueOf(v), 0)
	return out.String()
}

func renderValue(out *strings.Builder, v reflect.Value, depth int) {
	if !v.IsValid() {
		out.WriteString("nil")
		return
	}
	if depth > maxRenderDepth {
		out.WriteString("…")
		return
	}
	if renderSpecial(out, v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			out.WriteString("nil")
			return
		}
		renderValue(out, v.Elem(), depth+1)
	case reflect.Struct:
		fields := make([]string, v.NumField())
		for i := range fields {
			fields[i] = v.Type().Field(i).Name + ": " + renderNested(v.Field(i), depth)
		}
		out.WriteString("{" + strings.Join(fields, ", ") + "}")
	case reflect.Slice, reflect.Array:
		elements := make([]string, v.Len())
		for i := range elements {
			elements[i] = renderNested(v.Index(i), depth)
		}
		out.WriteString("[" + strings.Join(elements, ", ") + "]")
	case reflect.Map:
		var entries []string
		for keys := v.MapRange(); keys.Next(); {
			entries = append(entries, renderNested(keys.Key(), depth)+": "+renderNested(keys.Value(), depth))
		}
		slices.Sort(entries)
		out.WriteString("map[" + strings.Join(entries, ", ") + "]")
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		out.WriteString(v.Type().String()) // an address would differ between equal contents
	case reflect.String:
		fmt.Fprintf(out, "%q", v.String())
	default:
		fmt.Fprint(out, v)
	}
}

func renderNested(v reflect.Value, depth int) string {
	var out strings.Builder
	renderValue(&out, v, depth+1)
	return out.String()
}

// renderSpecial writes values that know better than their fields what they
// are, and reports whether v is one.
func renderSpecial(out *strings.Builder, v reflect.Value) bool {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		fmt.Fprintf(out, "%q", v.Bytes())
		return true
	}
	if !v.CanInterface() || v.Kind() == reflect.Pointer && v.IsNil() {
		return false
	}
	switch value := v.Interface().(type) {
	case error:
		fmt.Fprintf(out, "error %q", value.Error())
	case fmt.Stringer:
		out.WriteString(value.String())
	default:
		return false
	}
	return true
}

// maxExcerpt bounds how many bytes of a value a message shows.
const maxExcerpt = 200

// excerpt shortens a text for a message.
func excerpt(text string) string {
	if len(text) <= maxExcerpt {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:maxExcerpt], ""), len(text))
}

// excerpts shortens two texts that differ, around where they begin to.
func excerpts(a, b string) (string, string) {
	common := 0
	for common < min(len(a), len(b)) && a[common] == b[common] {
		common++
	}
	from := max(0, common-maxExcerpt/4)
	if from == 0 || max(len(a), len(b)) <= maxExcerpt {
		return excerpt(a), excerpt(b)
	}
	cut := func(text string) string { return "…" + excerpt(strings.ToValidUTF8(text[from:], "")) }
	return cut(a), cut(b)
}
