// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3/config"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// withPrograms runs f in a bubble with a world of two hosts that run a program.
func withPrograms(t *testing.T, p Program, f func(t *testing.T, w *World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := New(Config{
			Deployment: scenarios.Deployment{NodeHosts: 2}, RTT: staticRTT, Seed: 3, Static: []StaticCluster{}, Program: p,
			Logger: func(string) *slog.Logger { return slog.New(slog.DiscardHandler) },
		})
		defer w.Stop()
		f(t, w)
	})
}

// echo answers what it is sent, until it ends.
func echo(ctx context.Context, e ProgramEnvironment) error {
	n, err := e.NodeHost(config.NodeHostConfig{})
	if err != nil {
		return err
	}
	defer n.Stop()
	l, err := e.Listen(e.Host.Name + ":80")
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	for {
		c, err := l.Accept()
		if err != nil {
			return nil
		}
		_, _ = io.Copy(c, c)
		c.Close()
	}
}

func TestAProgramIsKilledAndComesBack(t *testing.T) {
	withPrograms(t, echo, func(t *testing.T, w *World) {
		require.NoError(t, w.Start(t.Context()))
		asked := func() error {
			synctest.Wait() // it listens a moment after its NodeHost is made
			c, err := w.DialContext(t.Context(), "nodehost-1:80")
			if err != nil {
				return err
			}
			defer c.Close()
			if _, err := c.Write([]byte("x")); err != nil {
				return err
			}
			_, err = io.ReadFull(c, make([]byte, 1))
			return err
		}
		require.NoError(t, asked())
		in, err := w.Inspect(t.Context(), "nodehost-1")
		require.NoError(t, err)
		require.NotEmpty(t, in.NodeHostID)
		_, err = w.Kill("nodehost-1")
		require.NoError(t, err)
		require.Error(t, asked())
		require.NoError(t, w.Boot("nodehost-1"))
		require.NoError(t, asked())
		again, err := w.Inspect(t.Context(), "nodehost-1")
		require.NoError(t, err)
		require.Equal(t, in.NodeHostID, again.NodeHostID, "its disk is the same")
		require.Empty(t, w.Examine())
	})
}

func TestAProgramThatEndsByItselfIsNoted(t *testing.T) {
	withPrograms(t, func(ctx context.Context, e ProgramEnvironment) error {
		n, err := e.NodeHost(config.NodeHostConfig{})
		if err != nil {
			return err
		}
		defer n.Stop()
		time.Sleep(time.Minute)
		return errors.New("the cat did it")
	}, func(t *testing.T, w *World) {
		require.NoError(t, w.Start(t.Context()))
		time.Sleep(2 * time.Minute)
		require.Contains(t, w.Examine(), "the program of host nodehost-1 ended by itself: the cat did it")
	})
}

func TestAProgramHasToMakeItsNodeHost(t *testing.T) {
	for want, p := range map[string]Program{
		"the program ended before it had made its NodeHost: no luck": func(context.Context, ProgramEnvironment) error { return errors.New("no luck") },
		"has not made its NodeHost within 30s": func(ctx context.Context, _ ProgramEnvironment) error {
			<-ctx.Done()
			return nil
		},
	} {
		withPrograms(t, p, func(t *testing.T, w *World) { require.ErrorContains(t, w.Start(t.Context()), want) })
	}
}
