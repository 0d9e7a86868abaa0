// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// maxSourceBytes bounds a scenario file.
const maxSourceBytes = 16 << 20

// ParseFile reads and validates the scenario in a file, with settings applied.
func ParseFile(path string, settings ...Setting) (*Scenario, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read scenario: %w", err)
	}
	defer file.Close()
	source, err := io.ReadAll(io.LimitReader(file, maxSourceBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read scenario: %w", err)
	}
	return Parse(path, source, settings...)
}

// Parse reads a scenario, applies the settings in their order, fills in
// defaults and validates the result. The error is a Problems with everything
// that was found wrong; file is the name it uses.
func Parse(file string, source []byte, settings ...Setting) (*Scenario, error) {
	root, err := parseYAML(file, source)
	if err != nil {
		return nil, err
	}
	d := newDecoder(file)
	for _, setting := range settings {
		d.apply(root, setting)
	}
	scenario := &Scenario{}
	d.decode(root, reflect.ValueOf(scenario).Elem(), field{}, "")
	scenario.where = d.where
	if scenario.Swarm { // what is drawn has to fit what is given
		scenario.drawn(validatedSeed).validate(&d.problems)
	} else {
		scenario.validate(&d.problems)
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return scenario, nil
}

// parseYAML returns the top node of the only document in source. Comparisons
// need no quotes.
func parseYAML(file string, source []byte) (*yaml.Node, error) {
	if len(source) > maxSourceBytes {
		return nil, Problems{{File: file, Text: fmt.Sprintf("found more than %d bytes, expected a scenario", maxSourceBytes)}}
	}
	root, err := parseDocument(file, source)
	if err == nil {
		return root, nil
	}
	if quoted, failed := parseDocument(file, quoteComparisons(source)); failed == nil {
		return quoted, nil
	}
	return nil, err
}

func parseDocument(file string, source []byte) (*yaml.Node, error) {
	reader := yaml.NewDecoder(bytes.NewReader(source))
	var document yaml.Node
	if err := reader.Decode(&document); err != nil {
		return nil, Problems{yamlProblem(file, source, err)}
	}
	var second yaml.Node
	if err := reader.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, Problems{yamlProblem(file, source, err)}
		}
		return nil, Problems{{File: file, Line: second.Line, Text: "found a second document, expected one scenario a file"}}
	}
	return document.Content[0], nil
}

var yamlErrorLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// yamlProblem takes the line out of the text of an error of the YAML parser. An
// error without one is at the end.
func yamlProblem(file string, source []byte, err error) Problem {
	if errors.Is(err, io.EOF) {
		return Problem{File: file, Line: 1, Text: "found an empty file, expected a scenario"}
	}
	problem := Problem{File: file, Line: 1 + bytes.Count(bytes.TrimSpace(source), []byte("\n")), Text: "not valid YAML: " + err.Error()}
	if parts := yamlErrorLine.FindStringSubmatch(err.Error()); parts != nil {
		problem.Text = "not valid YAML: " + parts[2]
		if line, err := strconv.Atoi(parts[1]); err == nil {
			problem.Line = line
		}
	}
	return problem
}
