// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Operation is one operation of a workload that is given, not drawn.
type Operation struct {
	At   Duration `key:"at" required:"true" doc:"When, since the clients began."`
	Op   string   `key:"op" required:"true" enum:"get|put|cas|append|delete|stale" doc:"What is asked. Of what is no key (workload.kind), all but get and stale stand for an update that is drawn."`
	Key  Key      `key:"key" required:"true" doc:"Of which key, named as in histories: 14/k4 is key k4 of cluster 14."`
	Host Target   `key:"host" optional:"true" doc:"The NodeHost that is asked first, if a member of the cluster runs there. Absent: it is drawn."`
}

// Key is a key of a cluster, written as in histories: 14/k4.
type Key struct {
	Cluster uint64
	Name    string
}

const keyForm = `[1-9][0-9]{0,8}/[A-Za-z0-9]{1,64}`

var keyPattern = regexp.MustCompile(`^(` + keyForm + `)$`)

// String returns the text that reads back as k.
func (k Key) String() string { return fmt.Sprintf("%d/%s", k.Cluster, k.Name) }

// MarshalText implements encoding.TextMarshaler.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Key) UnmarshalText(text []byte) error {
	id, name, _ := strings.Cut(string(text), "/")
	cluster, err := strconv.ParseUint(id, 10, 64)
	if err != nil || !keyPattern.Match(text) {
		return fmt.Errorf("found %q, expected a key with its cluster, such as 14/k4", shorten(string(text)))
	}
	*k = Key{Cluster: cluster, Name: name}
	return nil
}

// validateOperations checks that the operations are in order of time, on
// clusters and hosts that there are.
func (s *Scenario) validateOperations(p *problems) {
	first, last := uint64(s.Clusters.First), uint64(s.Clusters.First+s.Clusters.Count-1)
	for i, o := range s.Workload.Operations {
		path := fmt.Sprintf("workload.operations[%d]", i)
		if before := fmt.Sprintf("workload.operations[%d].at", i-1); i > 0 && p.read(path+".at", before) && o.At < s.Workload.Operations[i-1].At {
			p.add(path+".at", "found %s after %s, expected the operations in order of their times", o.At, s.Workload.Operations[i-1].At)
		}
		if p.read(path+".key", "clusters.first", "clusters.count") && (o.Key.Cluster < first || o.Key.Cluster > last) {
			p.add(path+".key", "found cluster %d, expected one of %d to %d", o.Key.Cluster, first, last)
		}
		if p.read(path+".host", "deployment.nodehosts") && !o.Host.IsZero() &&
			(o.Host.Class != AnyNodeHost || o.Host.Number == 0 || o.Host.Number > s.Deployment.NodeHosts) {
			p.add(path+".host", "found %s, expected one of nodehost-1 to nodehost-%d", o.Host, s.Deployment.NodeHosts)
		}
	}
}
