// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"slices"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// onLinks makes a fault of what it lays on the network's links.
func onLinks(lay func(a *act) error) behaviour {
	return behaviour{
		begin: func(a *act) (world.Effect, error) { return world.Effect{}, lay(a) },
		end:   func(a *act) error { return a.links.remove(a.id) },
	}
}

// partition cuts the target off from everybody, clients included, or splits
// all hosts into two groups with the target in the smaller one. With split
// drummers the targets are all Drummers: they and the NodeHosts still reach
// their own kind, and clients reach both. With split peers a NodeHost reaches
// everybody but the other NodeHosts.
func partition(a *act) error {
	group := a.hosts
	far := a.others()
	switch a.fault.Split {
	case "halves":
		group, far = a.halves()
	case "drummers":
		far = slices.DeleteFunc(far, func(h string) bool { return h == world.Clients })
	case "peers":
		far = a.otherNodeHosts()
	}
	return a.between(group, far, world.Link{Cut: true}, true, true)
}

// oneWay cuts one direction: the target goes on hearing, or on speaking.
func oneWay(a *act) error {
	out := a.fault.Direction == "out"
	if a.fault.Direction == "either" {
		out = a.rng.IntN(2) == 0
	}
	return a.between(a.hosts, a.others(), world.Link{Cut: true}, out, !out)
}

// lossy loses a share of the messages from and to the target.
func lossy(a *act) error {
	return a.between(a.hosts, a.others(), world.Link{Drop: a.fault.Drop.Fraction()}, true, true)
}

// delay makes the target's links slow.
func delay(a *act) error {
	q := world.Link{Delay: a.fault.Latency.D(), Jitter: a.fault.Jitter.D()}
	return a.between(a.hosts, a.others(), q, true, true)
}

func (a *act) otherNodeHosts() []string {
	var others []string
	for _, h := range a.w.Hosts() {
		if h.Role == world.NodeHost && !slices.Contains(a.hosts, h.Name) {
			others = append(others, h.Name)
		}
	}
	return others
}

// halves splits the hosts at random; clients reach both groups.
func (a *act) halves() (small, large []string) {
	rest := slices.DeleteFunc(a.others(), func(h string) bool { return h == world.Clients })
	a.rng.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	more := max(0, (len(rest)+len(a.hosts))/2-len(a.hosts))
	return append(slices.Clone(a.hosts), rest[:more]...), rest[more:]
}

// between lays q on the links from group to far, and back.
func (a *act) between(group, far []string, q world.Link, out, in bool) error {
	for _, g := range group {
		for _, f := range far {
			if out {
				if err := a.links.add(a.id, g, f, q); err != nil {
					return err
				}
			}
			if in {
				if err := a.links.add(a.id, f, g, q); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
