// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"encoding/json"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Schema returns the JSON Schema (draft 2020-12) of scenario files, for
// editors. What it refuses, Parse refuses; what depends on several fields,
// only Parse finds.
func Schema() ([]byte, error) {
	schema := structSchema(reflect.TypeFor[Scenario]())
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "Drumbeat scenario"
	return json.MarshalIndent(schema, "", "  ")
}

type object = map[string]any

func structSchema(t reflect.Type) object {
	properties, required := object{}, []string{}
	for _, f := range fieldsOf(t) {
		properties[f.key] = f.schema()
		if f.required {
			required = append(required, f.key)
		}
	}
	schema := object{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

// schema describes one field.
func (f field) schema() object {
	schema := valueSchema(f.typ)
	schema["description"] = f.doc
	if len(f.enum) > 0 {
		schema["enum"] = f.enum
	}
	if f.fallback != "" {
		schema["default"] = jsonDefault(f)
	}
	if isNumber(f.typ) {
		for keyword, limit := range map[string]string{"minimum": f.min, "maximum": f.max} {
			if limit != "" {
				schema[keyword] = json.Number(limit)
			}
		}
	}
	return schema
}

func isNumber(t reflect.Type) bool {
	return !isText(t) && slices.Contains([]reflect.Kind{reflect.Int, reflect.Float64}, t.Kind())
}

// jsonDefault returns a default as a value of JSON.
func jsonDefault(f field) any {
	if isNumber(f.typ) {
		return json.Number(f.fallback)
	}
	if f.typ.Kind() == reflect.Bool {
		return f.fallback == "true"
	}
	if _, ok := reflect.New(f.typ).Interface().(part); ok {
		var value any
		if err := yaml.Unmarshal([]byte(f.fallback), &value); err == nil {
			return value
		}
	}
	return f.fallback
}

// forms are the patterns of types that are written as text.
var forms = map[reflect.Type]string{
	reflect.TypeFor[Duration](): durationForm,
	plainDuration:               durationForm,
	reflect.TypeFor[Range]():    rangeForm,
	reflect.TypeFor[Percent]():  percentForm,
	reflect.TypeFor[Percents](): percentsForm,
	reflect.TypeFor[Counts]():   countsForm,
	reflect.TypeFor[Target]():   targetForm,
	reflect.TypeFor[Key]():      keyForm,
}

// valueSchema describes the values of a type.
func valueSchema(t reflect.Type) object {
	if form, ok := forms[t]; ok {
		schema := object{"type": "string", "pattern": "^(" + form + ")$"}
		if t == reflect.TypeFor[Counts]() {
			schema["type"] = []string{"string", "integer"}
		}
		return schema
	}
	if p, ok := reflect.New(t).Interface().(part); ok {
		return p.schema()
	}
	switch t.Kind() {
	case reflect.Struct:
		return structSchema(t)
	case reflect.Pointer:
		schema := valueSchema(t.Elem())
		schema["type"] = []any{schema["type"], "null"}
		return schema
	case reflect.Slice:
		return object{"type": "array", "items": valueSchema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": object{"type": "integer", "minimum": 0}}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	}
	return object{"type": "string"}
}
