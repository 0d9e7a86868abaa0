// SPDX-License-Identifier: Apache-2.0

// Command crowd runs a bubble in which much could come in another order, and
// prints how it went: once for each of its arguments, which are seeds. Its
// environment has the rest: CROWD_TRACE names a file for the trace,
// CROWD_EXPLORE has an exact.Explore, CROWD_RACE has it run a program with a
// race instead, CROWD_CRASH has it end in a panic, CROWD_LOOK has it looked at
// and write logs, CROWD_HOLD has it hold a group.
package main

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/bubble"
)

// order is what a child is asked to do.
type order struct {
	Dir   string // for its real files
	Race  bool   // only race
	Crash bool   // at the end
	Look  bool   // at what it does, and write logs
	Hold  bool   // a group of goroutines for a while
}

// facts are what a child found.
type facts struct {
	Host  string
	Lost  int      // updates, in a race
	Looks []string // what was seen
	Held  int      // goroutines that wanted to go on while they were held
}

// registry is made while the program is initialized, and looked through in the
// bubble.
var registry = func() map[string]int {
	m := map[string]int{}
	for i := range 100 {
		m[strconv.Itoa(i)] = i
	}
	return m
}()

// born is a number that the program draws while it is initialized, as goutils
// does.
var born = time.Now().UnixNano() + int64(os.Getpid())

func main() {
	bubble.Main(work)
	dir, err := os.MkdirTemp("", "crowd-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, arg := range os.Args[1:] {
		seed, err := strconv.ParseUint(arg, 10, 64)
		if err != nil {
			panic(err)
		}
		c := bubble.Command{
			Request: order{Dir: dir, Race: os.Getenv("CROWD_RACE") != "", Crash: os.Getenv("CROWD_CRASH") != "", Look: os.Getenv("CROWD_LOOK") != "", Hold: os.Getenv("CROWD_HOLD") != ""},
			Log:     filepath.Join(dir, "log"),
			Exact:   &bubble.Exact{Seed: seed, Hold: os.Getenv("CROWD_HOLD") != "", Trace: os.Getenv("CROWD_TRACE")},
		}
		if os.Getenv("CROWD_EXPLORE") != "" {
			if err := json.Unmarshal([]byte(os.Getenv("CROWD_EXPLORE")), &c.Exact.Explore); err != nil {
				panic(err)
			}
		}
		var found facts
		c.OnProgress = func(b json.RawMessage) { _ = json.Unmarshal(b, &found) }
		exit, err := c.Run(context.Background())
		crashed := exit.Crash != nil && exit.Crash.Message == crash
		if err != nil || exit.Err != "" || !exit.Done && !crashed {
			log, _ := os.ReadFile(c.Log)
			fmt.Fprintf(os.Stderr, "%+v %v\n%s", exit, err, log)
			os.Exit(1)
		}
		if err := json.NewEncoder(os.Stdout).Encode(struct {
			exact.State
			facts
		}{exit.Exact, found}); err != nil {
			panic(err)
		}
	}
}

// crowd is what the goroutines of the bubble share.
type crowd struct {
	mu    sync.Mutex
	reads sync.RWMutex
	cond  *sync.Cond
	count map[int]int
	pool  sync.Pool
	a, b  chan int
	file  *os.File
	junk  []byte
	peers map[fmt.Stringer]int // by pointers, as gRPC has its connections
	log   io.Writer            // nil: none is written
}

// peer is somewhere in memory.
type peer struct{ n int }

func (p *peer) String() string { return strconv.Itoa(p.n) }

const (
	members = 100
	rounds  = 20
)

// noise goes on outside of the bubble for as long as the process lives: it
// waits for timers and for the operating system, and allocates.
func noise() {
	for range 3 {
		go func() {
			var keep [][]byte
			for i := 0; ; i++ {
				time.Sleep(time.Duration(i%7) * 100 * time.Microsecond)
				block(time.Duration(i%5) * 100 * time.Microsecond)
				keep = append(keep[:min(len(keep), 100)], make([]byte, 1+i*977%20_000))
			}
		}()
	}
}

// block waits in a system call.
func block(d time.Duration) {
	t := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&t, nil)
}

func init() { // the child's; its main does not return from bubble.Main
	if _, ok := exact.Process(); ok {
		noise()
	}
}

func work(_ context.Context, job bubble.Job) error {
	var o order
	if err := json.Unmarshal(job.Request, &o); err != nil {
		return err
	}
	if o.Race {
		return job.Progress(facts{Lost: race()})
	}
	file, err := os.Create(filepath.Join(o.Dir, "file"))
	if err != nil {
		return err
	}
	defer file.Close()
	c := &crowd{count: map[int]int{}, peers: map[fmt.Stringer]int{}, a: make(chan int), b: make(chan int, 3), file: file}
	c.cond = sync.NewCond(&c.mu)
	c.pool.New = func() any { return new([64 << 10]byte) }
	var looks []string
	if o.Look {
		c.log = file
		if err := exact.Look([]time.Duration{2 * time.Millisecond, time.Millisecond, time.Hour}, func(at time.Duration) {
			looks = append(looks, fmt.Sprint(at, " ", len(c.count), " ", exact.InBubble()))
			c.log.Write([]byte(fmt.Sprintln(c.count, c.peers, rand.N(10), time.Now())))
		}); err != nil {
			return err
		}
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	exact.NoteString(fmt.Sprint(born, os.Getpid(), host, runtime.NumCPU()))
	if err := job.Progress(facts{Host: host}); err != nil {
		return err
	}
	held := 0
	if o.Hold {
		if held, err = holdGroup(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all, helpers sync.WaitGroup
	for i := range members / 10 {
		helpers.Go(func() { c.feed(ctx, i) })
	}
	for i := range members {
		all.Go(func() { c.member(i) })
	}
	all.Wait()
	cancel()
	helpers.Wait()
	if o.Crash {
		panic(crash)
	}
	return job.Progress(facts{Host: host, Looks: looks, Held: held})
}

// holdGroup has a group of goroutines count milliseconds, under a lock and by a
// channel, holds them while they would have counted to ten, and reports how many
// wanted to go on. It is an error if one did, or if one does not afterwards.
func holdGroup() (int, error) {
	const counters = 5
	var mu, all sync.Mutex
	var done sync.WaitGroup
	count, ticks, stop := 0, make(chan int), make(chan struct{})
	group := exact.GroupOf("held")
	group.Join()
	for range counters {
		done.Go(func() {
			for tick := time.NewTicker(time.Millisecond); ; {
				all.Lock() // who waits for this one waits for one that is held
				select {
				case <-tick.C:
				case <-stop:
					all.Unlock()
					return
				}
				all.Unlock()
				mu.Lock()
				count++
				mu.Unlock()
			}
		})
	}
	done.Go(func() {
		for range ticks {
		}
	})
	exact.Group(0).Join()
	counted := func() int {
		mu.Lock()
		defer mu.Unlock()
		return count
	}
	time.Sleep(10*time.Millisecond + 1)
	if err := group.Hold(); err != nil {
		return 0, err
	}
	before := counted()
	time.Sleep(10 * time.Millisecond)
	ticks <- 1
	during := counted()
	held := group.Woken()
	group.Release()
	time.Sleep(10 * time.Millisecond)
	after := counted()
	close(ticks)
	close(stop)
	done.Wait()
	if before < 5 || during != before || after < during+5 {
		return held, fmt.Errorf("a group that was held counted %d before, %d meanwhile and %d after", before, during-before, after-during)
	}
	return held, nil
}

// crash is what the process ends with if it is asked to.
const crash = "as asked for"

// feed offers numbers on both channels.
func (c *crowd) feed(ctx context.Context, n int) {
	for i := n; ; i++ {
		select {
		case c.a <- i:
		case c.b <- -i:
		case <-ctx.Done():
			return
		}
	}
}

func (c *crowd) member(n int) {
	for r := range rounds {
		var got int
		timeout := time.NewTimer(time.Duration(r%3) * time.Millisecond)
		select {
		case got = <-c.a:
		case got = <-c.b:
		case <-timeout.C:
			got = 1000
		}
		timeout.Stop()
		buf := c.pool.Get().(*[64 << 10]byte)
		buf[got&0xff]++
		c.mu.Lock()
		c.count[n*r+got%50]++
		if r%5 == 0 { // the others come to wait for the lock
			runtime.Gosched()
			spin(200 * time.Microsecond)
		}
		if n == 50 && r%5 == 0 {
			spin(30 * time.Millisecond)
			c.junk = make([]byte, 1<<20) // while a request to yield waits
		}
		c.junk = make([]byte, 32<<10)
		c.mu.Unlock()
		c.cond.Broadcast()
		c.pool.Put(buf)
		c.draw(n)
		own := make(chan time.Time, 1)
		for range 3 { // places where exploration may preempt
			own <- time.Now()
			<-own
			c.reads.RLock()
			c.reads.RUnlock()
		}
		if rand.N(3) == 0 {
			time.Sleep(time.Duration(rand.N(5)) * 100 * time.Microsecond)
		}
		doze()
	}
}

// doze waits for the first of some timers, which others may be due with.
func doze() {
	var timers [4]*time.Timer
	for i := range timers {
		timers[i] = time.NewTimer(time.Duration(1+rand.N(3)) * time.Millisecond)
		defer timers[i].Stop()
	}
	select {
	case <-timers[0].C:
	case <-timers[1].C:
	case <-timers[2].C:
	case <-timers[3].C:
	}
}

// race has clients count in a map that no lock guards, and returns how many of
// their updates were lost: none, unless a goroutine is preempted between its
// look and its write.
func race() int {
	const clients, updates, keys = 10, 50, 5
	count := map[int]int{}
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() {
			for i := range updates {
				was := count[i%keys]
				log := fmt.Sprint(time.Now(), n, was) // as a state machine's wrapper might
				count[i%keys] = was + min(len(log), 1)
				time.Sleep(time.Duration(rand.N(3)) * time.Millisecond)
			}
		})
	}
	all.Wait()
	left := clients * updates
	for _, n := range count {
		left -= n
	}
	return left
}

// spin computes for a time that no clock of the bubble knows.
func spin(d time.Duration) {
	x := uint64(1)
	for range d.Nanoseconds() {
		x = x*6364136223846793005 + 1442695040888963407
	}
	sink = x
}

var sink uint64

// draw notes what chance and maps say.
func (c *crowd) draw(n int) {
	var b [8]byte
	cryptorand.Read(b[:])
	exact.Note(b[:])
	for key := range registry {
		exact.NoteString(key)
		break
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.count {
		exact.NoteString(strconv.Itoa(key))
		break
	}
	if len(c.peers) == 300 {
		c.peers = map[fmt.Stringer]int{} // those before are garbage
	}
	c.peers[&peer{n}]++
	for p := range c.peers {
		exact.NoteString(p.String())
		break
	}
	fmt.Fprintln(c.file, n, b)
	if c.log != nil {
		exact.Apart(true)
		exact.NoteString("nobody hears this")
		fmt.Fprintln(c.log, time.Now(), rand.N(10), c.count)
		exact.Apart(false)
	}
	if rand.N(10) == 0 {
		block(300 * time.Microsecond)
	}
}
