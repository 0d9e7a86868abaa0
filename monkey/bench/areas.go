// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"slices"
	"strings"
)

// area is a part of the system that is told apart in a profile: every sample with
// one of its functions anywhere on the stack belongs to it.
type area struct {
	name string
	// functions are beginnings of names of functions, with their package paths.
	functions []string
}

const (
	drumbeat   = "github.com/drumbeat-raft/drumbeat/"
	dragonboat = "github.com/lni/dragonboat/v3"
)

// areas is the table of them. A sample may belong to several: what gRPC allocates
// counts for both gRPC and allocation.
var areas = []area{
	{"Dragonboat: step workers", []string{dragonboat + ".(*engine).stepWorkerMain"}},
	{"Dragonboat: apply workers", []string{dragonboat + ".(*engine).applyWorkerMain"}},
	{"Dragonboat: snapshot workers", []string{dragonboat + ".(*ssWorker).workerMain"}},
	{"Dragonboat: ticks", []string{dragonboat + ".(*NodeHost).tickWorkerMain"}},
	{"Dragonboat: transport", []string{dragonboat + "/internal/transport."}},
	{"Dragonboat: starting nodes", []string{dragonboat + ".(*NodeHost).startCluster"}},
	{"Pebble", []string{"github.com/cockroachdb/pebble"}},
	{"simulated disks", []string{drumbeat + "monkey/sim/simdisk."}},
	{"simulated network", []string{drumbeat + "monkey/sim/simnet."}},
	{"gRPC", []string{"google.golang.org/grpc", "golang.org/x/net/http2"}},
	{"clients", []string{drumbeat + "monkey/workload."}},
	{"recording and online judging", []string{drumbeat + "checker/"}},
	{"NodeHosts' API", []string{drumbeat + "drummer/nodehostapi."}},
	{"agents", []string{drumbeat + "drummer/agent."}},
	{"Drummer's servers", []string{drumbeat + "drummer/server", drumbeat + "drummer/db", drumbeat + "drummer/schedule"}},
	{"monkey's audits", []string{drumbeat + "monkey/audit.", drumbeat + "monkey/sim/raftstate.", drumbeat + "monkey/sim/raftsafety."}},
	{"monkey's observer", []string{drumbeat + "monkey/engine.(*observer)", drumbeat + "monkey/engine.(*runner).follow"}},
	{"allocation", []string{"runtime.mallocgc"}},
	{"garbage collection", []string{"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.(*mcentral).cacheSpan"}},
	{"goroutines: scheduling, channels, select", []string{"runtime.schedule", "runtime.chansend", "runtime.chanrecv", "runtime.selectgo", "runtime.goready", "runtime.mcall"}},
}

// has reports whether a function belongs to the area.
func (a area) has(function string) bool {
	return slices.ContainsFunc(a.functions, func(beginning string) bool { return strings.HasPrefix(function, beginning) })
}

// shares gives each area's share of a profile's time, from 0 to 1, in the order of
// the table, and that of the samples that are in none.
func (p *Profile) shares() (shares []float64, other float64) {
	shares = make([]float64, len(areas))
	total := float64(max(p.total(), 1))
	for _, s := range p.Samples {
		for i, a := range areas {
			if slices.ContainsFunc(s.Functions, a.has) {
				shares[i] += float64(s.Weight) / total
			}
		}
	}
	for _, share := range p.others() {
		other += share
	}
	return shares, other
}

// goItself stands for the packages of Go's own.
const goItself = "Go itself"

// others are the packages whose samples are in no area, each with its share of the
// profile's time, from 0 to 1. A sample belongs to the innermost package on its stack
// that is none of Go's own, if there is one.
func (p *Profile) others() map[string]float64 {
	out := map[string]float64{}
	total := float64(max(p.total(), 1))
	for _, s := range p.Samples {
		if slices.ContainsFunc(areas, func(a area) bool { return slices.ContainsFunc(s.Functions, a.has) }) {
			continue
		}
		of := goItself
		if i := slices.IndexFunc(s.Functions, func(f string) bool { return strings.Contains(packageOf(f), ".") }); i >= 0 {
			of = packageOf(s.Functions[i])
		}
		out[of] += float64(s.Weight) / total
	}
	return out
}

// packageOf is the path of a function's package.
func packageOf(function string) string {
	dir := strings.LastIndexByte(strings.SplitN(function, "[", 2)[0], '/') + 1 // a type argument has paths of its own
	name, _, _ := strings.Cut(function[dir:], ".")
	return function[:dir] + name
}

// total is the time of all samples.
func (p *Profile) total() int64 {
	var total int64
	for _, s := range p.Samples {
		total += s.Weight
	}
	return total
}
