// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
)

const (
	// generationFile is kept in the NodeHost's directory: it is as old as the Raft logs
	// there.
	generationFile = "drummer-generation"
	// maxGenerationBytes bounds the file: a number in decimal.
	maxGenerationBytes = 32
	// generationInterval is the time from one generation of the disk to the next: a
	// copy that is not older than this may be taken for the disk itself.
	generationInterval = 10 * time.Second
	// firstGeneration is that of a disk without the file. 0 would say that this program
	// does not know of generations.
	firstGeneration = 1
)

// generation counts on the NodeHost's disk while the agent is attached. Drummer
// remembers how far it came: a disk with less is an old copy of itself, a backup that
// was restored or a snapshot of a virtual machine, and the nodes on it have forgotten
// what they acknowledged since.
//
// It rests while the agent is not attached. Otherwise an old copy could catch up before
// anybody has seen it.
type generation struct {
	file durable.File

	mu      sync.Mutex
	value   uint64 // on the disk, and synced
	moved   time.Time
	writing bool
}

func loadGeneration(nodehost config.NodeHostConfig) (*generation, error) {
	g := &generation{file: durable.In(nodehost, generationFile), value: firstGeneration}
	text, err := g.file.Read(maxGenerationBytes)
	if err != nil {
		return nil, fmt.Errorf("the generation of the disk: %w", err)
	}
	if text == nil {
		return g, nil
	}
	if g.value, err = strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err != nil || g.value < firstGeneration {
		return nil, fmt.Errorf("the generation of the disk in %s is %q, not a number from %d on; remove the NodeHost's directory, so that Drummer replaces its nodes", g.file.Path(), text, firstGeneration)
	}
	return g, nil
}

// get returns the generation that is on the disk.
func (g *generation) get() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.value
}

// due reports whether it is time for the next one, which the caller has to write then,
// with next.
func (g *generation) due() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.writing || time.Since(g.moved) < generationInterval {
		return false
	}
	g.writing = true
	return true
}

// next writes the next generation.
func (g *generation) next() error {
	value := g.get() + 1
	err := g.file.Write(fmt.Appendln(nil, value))
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.writing, g.moved = false, time.Now(); err == nil && value > g.value {
		g.value = value
	}
	return err
}

// set writes a generation that is above the present one.
func (g *generation) set(value uint64) error {
	if err := g.file.Write(fmt.Appendln(nil, value)); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.value = value
	return nil
}

// age moves the disk on to its next generation, in the background, when it is time.
func (a *Agent) age() {
	if !a.generation.due() {
		return
	}
	a.done.Go(func() {
		if err := a.generation.next(); err != nil {
			a.log.Warn("the disk did not take its next generation", "error", err)
		}
	})
}

// loseDisk gives up all nodes on the disk, which is an old copy of itself: Drummer has
// heard of the newest generation. None of them is started here any more. Their logs stay
// until Drummer has replaced them, or somebody recovers a cluster from one.
func (a *Agent) loseDisk(newest uint64) error {
	if a.config.Disk == nil {
		return fmt.Errorf("the disk of this NodeHost is an old copy of itself: Drummer has heard of its generation %d, and it has %d. Its nodes have forgotten what they acknowledged, so it must not go on; stop it and remove its directory %s",
			newest, a.generation.get(), a.nodehost.NodeHostConfig().NodeHostDir)
	}
	info := a.nodehost.GetNodeHostInfo(dragonboat.DefaultNodeHostInfoOption)
	if info == nil {
		return errNodeHostClosed
	}
	for _, c := range info.ClusterInfoList { // Drummer has started none; somebody else may have
		if err := a.nodehost.StopNode(c.ClusterID, c.NodeID); err != nil && !errors.Is(err, dragonboat.ErrClusterNotFound) {
			return fmt.Errorf("node %d of cluster %d, on a disk that is an old copy, can't be stopped: %w", c.NodeID, c.ClusterID, err)
		}
	}
	for _, l := range info.LogInfo {
		if err := a.config.Disk.Lose(l.ClusterID, l.NodeID); err != nil {
			return fmt.Errorf("node %d of cluster %d, on a disk that is an old copy, can't be given up: %w", l.NodeID, l.ClusterID, err)
		}
	}
	a.log.Error("the disk is an old copy of itself: the nodes on it are given up", "generation", a.generation.get(), "newest", newest, "nodes", len(info.LogInfo))
	if err := a.generation.set(newest); err != nil {
		return fmt.Errorf("generation %d of the disk can't be written: %w", newest, err)
	}
	return nil
}
