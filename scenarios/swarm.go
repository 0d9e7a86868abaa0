// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// everySwarmed is the mean interval between two faults of an entry that a swarm
// draws, as a swarm tag has it. A run has some fifty.
const everySwarmed = "40s..6m"

// Drawn returns the scenario with what its file does not give drawn from a seed,
// if it is a swarm, otherwise s itself. The same file, settings and seed give the
// same scenario, which is valid and no swarm any more. The error is a Problems:
// what the file gives fits no draw.
//
// Each field has a random source of its own: a field that is added, or given,
// changes no other draw, but for what has to fit it.
func (s *Scenario) Drawn(seed uint64) (*Scenario, error) {
	if !s.Swarm {
		return s, nil
	}
	drawn := s.drawn(seed)
	p := &problems{where: s.where}
	drawn.validate(p)
	if err := p.err(); err != nil {
		return nil, fmt.Errorf("seed %d draws what does not fit this swarm:\n%w", seed, err)
	}
	return drawn, nil
}

// validatedSeed is the one whose draw Parse validates.
const validatedSeed = 1

func (s *Scenario) drawn(seed uint64) *Scenario {
	drawn := *s
	drawn.Swarm = false
	w := swarm{scenario: &drawn, seed: seed, given: s.where}
	w.fields(reflect.ValueOf(&drawn).Elem(), "")
	w.fit()
	if w.free("faults") {
		drawn.Faults = nil
		w.faults()
	}
	return &drawn
}

// swarm is one draw of a scenario.
type swarm struct {
	scenario *Scenario
	seed     uint64
	given    places
}

func (w *swarm) isGiven(path string) bool {
	_, given := w.given[path]
	return given
}

// rand is the random source of one thing that is drawn.
func (w *swarm) rand(what string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(what))
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// neverDrawn begins the swarm tag of a field that is not drawn; why follows.
const neverDrawn = "never: "

// fields draws all fields in v that have a swarm tag and are not given.
func (w *swarm) fields(v reflect.Value, prefix string) {
	for _, s := range slotsOf(v) {
		path := join(prefix, s.key)
		switch {
		case s.swarm != "" && !w.isGiven(path):
			drawInto(w.rand(path), s.value, s.field)
		case s.swarm == "" && partOf(s.value) == nil && s.value.Kind() == reflect.Struct && !isText(s.value.Type()):
			w.fields(s.value, path)
		}
	}
}

// drawInto draws one of a field's alternatives: a value as in a file, or one of a
// range a..b, in which each order of magnitude is as likely as another.
func drawInto(rng *rand.Rand, v reflect.Value, f field) {
	if strings.HasPrefix(f.swarm, neverDrawn) {
		return
	}
	drawText(rng, v, f.swarm)
}

func drawText(rng *rand.Rand, v reflect.Value, alternatives string) {
	all := strings.Split(alternatives, "|")
	text := all[rng.IntN(len(all))]
	low, high, isRange := strings.Cut(text, "..")
	if !isRange || !v.CanInt() && !v.CanFloat() {
		mustRead(v, text)
		return
	}
	lo, hi := reflect.New(v.Type()).Elem(), reflect.New(v.Type()).Elem()
	mustRead(lo, low)
	mustRead(hi, high)
	setNumber(v, logUniform(rng, number(lo), number(hi)))
}

// readTexts keeps what texts of tags say: a swarm reads them again and again.
var readTexts sync.Map // of reflect.Value, by textOf

type textOf struct {
	text string
	typ  reflect.Type
}

// mustRead reads the text of a tag, whose mistakes the tests find.
func mustRead(v reflect.Value, text string) {
	if known, ok := readTexts.Load(textOf{text, v.Type()}); ok {
		v.Set(known.(reflect.Value))
		return
	}
	d, fresh := newDecoder(""), reflect.New(v.Type()).Elem()
	node, err := parseYAML("", []byte(text))
	if err == nil {
		d.decode(node, fresh, field{}, "")
		err = d.err()
	}
	if err != nil {
		panic(fmt.Sprintf("scenarios: swarm tag %q of a %s: %v", text, v.Type(), err))
	}
	readTexts.Store(textOf{text, v.Type()}, fresh)
	v.Set(fresh)
}

// logUniform draws from [lo, hi], which are positive.
func logUniform(rng *rand.Rand, lo, hi float64) float64 {
	return math.Exp(math.Log(lo) + rng.Float64()*(math.Log(hi)-math.Log(lo)))
}

// setNumber sets v to about x, with as many digits as people like to read.
func setNumber(v reflect.Value, x float64) {
	scale := math.Pow(10, math.Floor(math.Log10(x))-1)
	rounded := math.Round(x/scale) * scale
	if v.CanFloat() {
		v.SetFloat(math.Round(rounded*1000) / 1000)
		return
	}
	v.SetInt(int64(math.Round(rounded)))
}

// free reports whether a field may be changed to fit others.
func (w *swarm) free(path string) bool { return !w.isGiven(path) }

// atLeast and atMost change a field that is not given to fit a limit.
func (w *swarm) atLeast(path string, field *int, limit int) {
	if w.free(path) {
		*field = max(*field, limit)
	}
}

func (w *swarm) atMost(path string, field *int, limit int) {
	if w.free(path) {
		*field = min(*field, limit)
	}
}

// fit changes drawn fields so that they fit each other, and those that are given.
func (w *swarm) fit() {
	s := w.scenario
	d, c, l := &s.Deployment, &s.Clusters, &s.Workload
	w.fitMaster()
	w.atLeast("deployment.nodehosts", &d.NodeHosts, c.Size+c.Observers+c.Witnesses)
	w.atMost("clusters.witnesses", &c.Witnesses, max(0, d.NodeHosts-c.Size-c.Observers))
	w.atMost("clusters.observers", &c.Observers, max(0, d.NodeHosts-c.Size-c.Witnesses))
	w.atMost("clusters.size", &c.Size, d.NodeHosts)
	w.atLeast("clusters.election_rtt", &c.ElectionRTT, 2*c.HeartbeatRTT+1)
	w.atMost("workload.burst.size", &l.Burst.Size, l.Clients*l.Open)
	if w.free("drummer.heartbeat") {
		s.Drummer.Heartbeat = min(s.Drummer.Heartbeat, s.Drummer.TimeToLive/2)
	}
	if c.StateMachine == "ondisk" && w.free("workload.sessions") {
		l.Sessions = "noop"
	}
	w.fitRegions()
	w.fitLatencies()
}

// fitMaster leaves out what a deployment with Drummers, or one without, can't
// have.
func (w *swarm) fitMaster() {
	c := &w.scenario.Clusters
	if w.scenario.Deployment.Drummers == 0 {
		return
	}
	w.atMost("clusters.observers", &c.Observers, 0)
	w.atMost("clusters.witnesses", &c.Witnesses, 0)
	if w.free("clusters.ordered_config_change") {
		c.OrderedConfigChange = true
	}
	if w.free("clusters.auto_compaction") {
		c.AutoCompaction = true
	}
}

// fitRegions gives each region a NodeHost, and some runs a number of members in
// the first one that leaves it a host to spare.
func (w *swarm) fitRegions() {
	d, c := &w.scenario.Deployment, &w.scenario.Clusters
	if len(d.Regions) > d.NodeHosts && w.free("deployment.regions") {
		d.Regions = d.Regions[:d.NodeHosts]
	}
	if len(d.Regions) < 2 {
		return
	}
	if rng, spare := w.rand("clusters.regions"), d.hostsAt(d.Regions[0])-1; spare > 0 && rng.IntN(2) == 0 && w.free("clusters.regions") && d.Drummers > 0 {
		c.Regions = map[string]int{d.Regions[0]: min(spare, c.Size)}
	}
	if rng := w.rand("deployment.network.between"); rng.IntN(2) == 0 && w.free("deployment.network.between") {
		between := Between{Regions: slices.Clone(d.Regions[:2])}
		drawText(rng, reflect.ValueOf(&between.Latency).Elem(), "{min: 5ms, median: 15ms, p99: 50ms}|{min: 20ms, median: 40ms, p99: 100ms}")
		d.Network.Between = []Between{between}
	}
}

// fitLatencies leaves elections the time that they need.
func (w *swarm) fitLatencies() {
	d, c := &w.scenario.Deployment, &w.scenario.Clusters
	longest := d.Network.Latency.P99
	for _, b := range d.Network.Between {
		longest = max(longest, b.Latency.P99)
	}
	for Duration(c.ElectionRTT)*d.RTT < 4*longest && w.free("clusters.election_rtt") {
		c.ElectionRTT++
	}
}

// faultsAttempts bounds how often faults are drawn again where none came of it.
const faultsAttempts = 20

// faults draws classes, of each the kinds, and of each kind an entry. No run is
// without any fault.
func (w *swarm) faults() {
	for attempt := 0; attempt < faultsAttempts && len(w.scenario.Faults) == 0; attempt++ {
		w.drawFaults(fmt.Sprint("faults.", attempt, "."))
	}
}

func (w *swarm) drawFaults(source string) {
	for _, kind := range FaultKinds() {
		rng := w.rand(source + kind.Name)
		if kind.Draw == nil || kind.Bites != nil && !kind.Bites(w.scenario) || w.rand(source+"class "+string(kind.Class)).IntN(2) == 0 || rng.IntN(2) == 0 {
			continue
		}
		if f, ok := w.fault(rng, kind); ok {
			w.scenario.Faults = append(w.scenario.Faults, f)
		}
	}
}

// faultDraws bounds how often an entry is drawn again that does not fit.
const faultDraws = 50

// fault draws an entry of a kind; not ok: none fits.
func (w *swarm) fault(rng *rand.Rand, kind FaultKind) (f Fault, ok bool) {
	for range faultDraws {
		f = w.drawFault(rng, kind)
		p := &problems{where: w.given}
		w.scenario.validateEntry(p, FaultEntry{Fault: &f, To: w.scenario.Duration})
		if w.scenario.Deployment.Drummers == 0 {
			w.scenario.validateStaticFault(p, &f, "")
		}
		if p.err() == nil && w.possible(kind, &f) {
			return f, true
		}
	}
	return f, false
}

func (w *swarm) drawFault(rng *rand.Rand, kind FaultKind) Fault {
	f := kind.Draw(rng)
	drawText(rng, reflect.ValueOf(&f.Every).Elem(), everySwarmed)
	// Where the loss of one host takes a quorum, a fault may do so or never strikes.
	f.LoseQuorum = !kind.LosesDisk && !f.Target.OfDrummers() && (w.scenario.Clusters.Size <= 2 || rng.IntN(5) == 0)
	if kind.Forever && rng.IntN(4) == 0 {
		f.Every, f.For, f.Forever, f.Count, f.Before, f.LoseQuorum = 0, Range{}, true, 1, w.scenario.Duration/2, false
	}
	return f
}

// possible reports whether the deployment can recover from a fault. What costs a
// member for good needs a majority of others that replaces it, and a host for the
// new one; a run has one host that never comes back.
func (w *swarm) possible(kind FaultKind, f *Fault) bool {
	forever := func(f Fault) bool { return f.Forever }
	switch {
	case f.Forever && f.Target.OfDrummers():
		return w.scenario.Deployment.Drummers >= 3 && !slices.ContainsFunc(w.scenario.Faults, forever)
	case f.Forever:
		return w.scenario.Clusters.Size >= 3 && w.scenario.Deployment.NodeHosts > w.scenario.Clusters.Size &&
			!slices.ContainsFunc(w.scenario.Faults, forever)
	case kind.LosesDisk:
		return w.scenario.Clusters.Size >= 3
	}
	return true
}

// Swarmable lists what a swarm can draw: each alternative of each field, and each
// kind of fault.
func Swarmable() []string {
	all := alternativesOf(reflect.TypeFor[Scenario](), "")
	for _, kind := range FaultKinds() {
		if kind.Draw != nil {
			all = append(all, "faults."+kind.Name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func alternativesOf(t reflect.Type, prefix string) []string {
	var all []string
	for _, f := range fieldsOf(t) {
		path := join(prefix, f.key)
		switch {
		case strings.HasPrefix(f.swarm, neverDrawn):
		case f.swarm != "":
			for _, text := range strings.Split(f.swarm, "|") {
				all = append(all, path+" "+text)
			}
		case f.typ.Kind() == reflect.Struct && !isText(f.typ):
			all = append(all, alternativesOf(f.typ, path)...)
		}
	}
	return all
}

// Swarmed lists which of Swarmable a scenario has, however it came by it.
func Swarmed(s *Scenario) []string {
	all := matching(reflect.ValueOf(s).Elem(), "")
	for _, f := range s.Faults {
		all = append(all, "faults."+f.Kind)
	}
	return all
}

func matching(v reflect.Value, prefix string) []string {
	var all []string
	for _, s := range slotsOf(v) {
		path := join(prefix, s.key)
		switch {
		case strings.HasPrefix(s.swarm, neverDrawn):
		case s.swarm != "":
			for _, text := range strings.Split(s.swarm, "|") {
				if matches(s.value, text) {
					all = append(all, path+" "+text)
				}
			}
		case s.value.Kind() == reflect.Struct && !isText(s.typ) && partOf(s.value) == nil:
			all = append(all, matching(s.value, path)...)
		}
	}
	return all
}

// matches reports whether a value is one of an alternative.
func matches(v reflect.Value, alternative string) bool {
	low, high, isRange := strings.Cut(alternative, "..")
	if !isRange || !v.CanInt() && !v.CanFloat() {
		want := reflect.New(v.Type()).Elem()
		mustRead(want, alternative)
		return reflect.DeepEqual(v.Interface(), want.Interface())
	}
	lo, hi := reflect.New(v.Type()).Elem(), reflect.New(v.Type()).Elem()
	mustRead(lo, low)
	mustRead(hi, high)
	return number(lo) <= number(v) && number(v) <= number(hi)
}
