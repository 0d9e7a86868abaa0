// SPDX-License-Identifier: Apache-2.0

package program

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

func TestTheGravestExitCodeCounts(t *testing.T) {
	inOrder := []int{ExitPass, ExitInconclusive, ExitViolation, ExitUsage, ExitUnavailable, ExitInternal, 3}
	for i, lesser := range inOrder {
		for _, graver := range inOrder[i:] {
			require.Equal(t, graver, Worse(lesser, graver))
			require.Equal(t, graver, Worse(graver, lesser))
		}
	}
}

func TestAnErrorHasTheExitCodeItWasGiven(t *testing.T) {
	require.Equal(t, ExitPass, ExitCode(nil))
	require.Equal(t, ExitInternal, ExitCode(fs.ErrNotExist))
	require.NoError(t, Usage(nil))
	err := fmt.Errorf("more: %w", Usagef("%s: %w", "x", fs.ErrNotExist))
	require.Equal(t, ExitUsage, ExitCode(err))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "more: x: file does not exist")
	require.Equal(t, ExitInVain, ExitCode(WithCode(ExitInVain, errors.New("late"))))
}

func TestPollTriesUntilItIsDoneOrFailsOrTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start, tries := time.Now(), 0
		require.NoError(t, Poll(ctx, time.Second, func() (bool, error) { tries++; return tries == 4, nil }))
		require.Equal(t, 3*time.Second, time.Since(start))
		require.ErrorIs(t, Poll(ctx, time.Second, func() (bool, error) { return false, fs.ErrClosed }), fs.ErrClosed)
		require.ErrorIs(t, Poll(ctx, time.Second, func() (bool, error) { return false, nil }), context.DeadlineExceeded)
		require.Equal(t, 10*time.Second, time.Since(start))
	})
}

func TestWrongCommandLinesAreUsageErrors(t *testing.T) {
	ran := ""
	root := &cobra.Command{Use: "thing"}
	leaf := &cobra.Command{Use: "one FILE", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		ran = args[0]
		return nil
	}}
	root.AddCommand(leaf, &cobra.Command{Use: "none", RunE: func(*cobra.Command, []string) error { return nil }})
	Strict(root)
	for _, args := range [][]string{{}, {"two"}, {"one"}, {"one", "a", "b"}, {"one", "--flag"}, {"none", "a"}} {
		root.SetArgs(args)
		require.Equal(t, ExitUsage, ExitCode(root.Execute()), "%v", args)
	}
	require.Empty(t, ran)
	root.SetArgs([]string{"one", "a"})
	require.NoError(t, root.Execute())
	require.Equal(t, "a", ran)
}

func TestMistakesInYAMLHaveFileAndLine(t *testing.T) {
	var into struct {
		Name  string `yaml:"name"`
		Count int    `yaml:"count"`
	}
	require.NoError(t, ParseYAML("f", []byte("name: a\ncount: 1\n"), &into))
	for text, want := range map[string]string{
		"":                     "f: the file is empty",
		"name: a\ncounts: 1":   "f:2: field counts not found",
		"name: a\ncount: many": "f:2: cannot unmarshal",
		"name: a\n---\n":       "more than one document",
		"name: [":              "f:1: did not find",
	} {
		err := ParseYAML("f", []byte(text), &into)
		require.ErrorContains(t, err, want, text)
		require.Equal(t, ExitUsage, ExitCode(err), text)
	}
	require.Equal(t, ExitUsage, ExitCode(LoadYAML("/no/such/file", &into)))
}
