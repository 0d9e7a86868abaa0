// SPDX-License-Identifier: Apache-2.0

package db

import (
	"cmp"
	"fmt"
	"slices"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// maxFuses bounds the fuses that may be blown at once, one a region.
const maxFuses = 10_000

// Fuse is a fuse that is blown, and so keeps dead members from being replaced.
// The scheduler decides from the hosts alone whether one is; State.Blown only
// remembers what was logged.
type Fuse struct {
	Fleet  bool   // the whole fleet's; otherwise that of Region
	Region string // may be empty: hosts need not name a region
	Why    string
}

// Compare orders fuses: the fleet's, then by region.
func (f Fuse) Compare(o Fuse) int {
	if f.Fleet != o.Fleet {
		if f.Fleet {
			return -1
		}
		return 1
	}
	return cmp.Compare(f.Region, o.Region)
}

// String names the fuse.
func (f Fuse) String() string {
	if f.Fleet {
		return "the fuse of the fleet"
	}
	return fmt.Sprintf("the fuse of region %q", f.Region)
}

// Proto is the fuse as a message.
func (f Fuse) Proto() *pb.Fuse {
	return &pb.Fuse{Fleet: f.Fleet, Region: f.Region, Why: f.Why}
}

func fuseOf(f *pb.Fuse) Fuse {
	return Fuse{Fleet: f.GetFleet(), Region: f.GetRegion(), Why: f.GetWhy()}
}

// setFuses records which fuses are blown, with an event for each that was whole
// before, and for each that is whole again.
func (e *edit) setFuses(cmd *pb.SetFuses) {
	blown, err := fusesOf(cmd.GetBlown())
	if err != nil {
		e.refuse(pb.CommandCode_INVALID, "%s", err)
		return
	}
	for i, f := range blown {
		if was, ok := findFuse(e.s.Blown, f); ok {
			blown[i] = was // as it was logged
			continue
		}
		e.event(&pb.Event{Kind: pb.EventFuseBlown}, "%s has blown, as server %d found in term %d: %s; what they carried is not replaced until the fuse is whole",
			f, e.s.LeaderNodeID, e.s.Term, f.Why)
	}
	for _, f := range e.s.Blown {
		if _, ok := findFuse(blown, f); !ok {
			e.event(&pb.Event{Kind: pb.EventFuseWhole}, "%s is whole again, as server %d found in term %d: the hosts are back, or were silent for so long that nobody waits for them", f, e.s.LeaderNodeID, e.s.Term)
		}
	}
	e.s.Blown = blown
}

// fusesOf reads fuses, or returns why they can't be.
func fusesOf(list []*pb.Fuse) ([]Fuse, error) {
	if len(list) > maxFuses {
		return nil, fmt.Errorf("%d fuses are too many, at most %d can be blown", len(list), maxFuses)
	}
	var fuses []Fuse
	for _, x := range list {
		f := fuseOf(x)
		f.Why = shorten(f.Why)
		fuses = append(fuses, f)
	}
	slices.SortFunc(fuses, Fuse.Compare)
	return fuses, soundFuses(fuses)
}

// soundFuses returns what is wrong with a list of fuses in order.
func soundFuses(fuses []Fuse) error {
	for i, f := range fuses {
		switch {
		case i > 0 && fuses[i-1].Compare(f) >= 0:
			return fmt.Errorf("%s is listed twice, or out of order", f)
		case f.Fleet && f.Region != "" || len(f.Region) > maxNameBytes:
			return fmt.Errorf("a fuse is that of the fleet, or of a region with a name of at most %d bytes", maxNameBytes)
		}
	}
	return nil
}

func findFuse(fuses []Fuse, f Fuse) (Fuse, bool) {
	i, ok := slices.BinarySearchFunc(fuses, f, Fuse.Compare)
	if !ok {
		return Fuse{}, false
	}
	return fuses[i], true
}
