// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/draw"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
)

// class is the CSS classes of what is drawn of an injection.
func class(i timeline.Injection) string {
	if i.Forever {
		return i.Fault + " forever"
	}
	return i.Fault
}

// tooltip says what happened to a host.
func tooltip(i timeline.Injection, host string) string {
	if i.Forever {
		return fmt.Sprintf("%s of %s at %s, forever", i.Fault, host, clock(i.From))
	}
	return fmt.Sprintf("%s of %s at %s for %s", i.Fault, host, clock(i.From), i.Length().Round(time.Millisecond))
}

// bandOf is the injection behind a drawing of operations, whose times are on
// the same clock.
func bandOf(i timeline.Injection) draw.Band {
	b := draw.Band{From: int64(i.From), To: int64(i.To), Kind: i.Fault, Name: fmt.Sprintf("%s of %s", i.Fault, strings.Join(i.Hosts, ", "))}
	if i.Forever {
		b.To, b.Kind, b.Name = history.Never, class(i), b.Name+" forever"
	}
	return b
}
