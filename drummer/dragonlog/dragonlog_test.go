// SPDX-License-Identifier: Apache-2.0

package dragonlog

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/lni/dragonboat/v3/logger"
	"github.com/stretchr/testify/require"
)

func TestBridgeKeepsLevelsAndPanics(t *testing.T) {
	var out bytes.Buffer
	b := &bridge{out: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	b.SetLevel(logger.WARNING)
	b.Infof("not %s", "this")
	b.Warningf("but %s", "that")
	require.NotContains(t, out.String(), "not this")
	require.Contains(t, out.String(), `level=WARN msg="but that"`)
	require.PanicsWithValue(t, "broken 1", func() { b.Panicf("broken %d", 1) })
	require.Contains(t, out.String(), `level=ERROR msg="broken 1"`)
}

func TestPanicsGoToTheHook(t *testing.T) {
	type ended string // what the hook leaves with
	b := &bridge{pkg: "raft", out: slog.New(slog.DiscardHandler), onPanic: func(pkg, message string) { panic(ended(pkg + ": " + message)) }}
	require.PanicsWithValue(t, ended("raft: broken 1"), func() { b.Panicf("broken %d", 1) })
}
