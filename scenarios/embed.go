// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Names lists the scenarios that come with Drumbeat, in order.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil { // an embedded directory can always be read
		return nil
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}

// Load returns the scenario of that name that comes with Drumbeat, with
// settings applied.
func Load(name string, settings ...Setting) (*Scenario, error) {
	source, err := files.ReadFile(path.Base(name) + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("found no scenario named %q, expected %s%s", shorten(name), oneOf(Names()), didYouMean(name, Names()))
	}
	return Parse("scenarios/"+path.Base(name)+".yaml", source, settings...)
}
