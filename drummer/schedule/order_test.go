// SPDX-License-Identifier: Apache-2.0

package schedule_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/model"
)

// TestReplacementsGoInTheOrderThatIsDocumented does what each row of the table in
// docs/architecture.md says: so many voters, so many of them dead, and the
// membership changes in their order, from the first observer that has caught up.
func TestReplacementsGoInTheOrderThatIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/architecture.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\s*\| (\d) \| (\d) \| ([a-z, ]+) \|$`).FindAllStringSubmatch(string(page), -1)
	require.GreaterOrEqual(t, len(rows), 4)
	for _, row := range rows {
		t.Run(row[1]+" voters, dead "+row[2], func(t *testing.T) {
			voters, _ := strconv.Atoi(row[1])
			dead, _ := strconv.Atoi(row[2])
			require.Equal(t, strings.Split(row[3], ", "), replacement(t, voters, dead))
		})
	}
}

// replacement kills the hosts of some members, not the leader's, and returns the
// changes of voting membership that Drummer decides until all are replaced. A voter
// is only made when the others reach the new quorum without it.
func replacement(t *testing.T, voters, dead int) []string {
	w := model.New(schedule.DefaultPolicy(), 1)
	for i := range voters + dead {
		w.AddHost("h"+strconv.Itoa(i+1), "")
	}
	w.ChangeLeader()
	w.Step()
	w.Define(&pb.ClusterSpec{ClusterId: 1, Application: "kv", Size: uint32(voters)})
	w.Launch()
	settleWithin(t, w, 60)
	c := w.State.Clusters.At(1)
	for _, m := range c.Image.Members {
		if m.NodeID != c.Leader && dead > 0 {
			w.Kill(w.Hosts[m.Address])
			dead--
		}
	}
	after, former := w.State.NextEventSequence-1, w.Groups[1].Image
	for range 100 {
		w.Step()
		image := w.Groups[1].Image
		for _, promoted := range image.Members {
			if before := former.Member(promoted.NodeID); before == nil || db.Voting(before.Role) || !db.Voting(promoted.Role) {
				continue
			}
			others := 0
			for _, m := range image.Members {
				if m.NodeID != promoted.NodeID && db.Voting(m.Role) && w.Hosts[m.Address].Up {
					others++
				}
			}
			require.GreaterOrEqual(t, others, db.Quorum(image.Voters()), "node %d was made a voter of %s", promoted.NodeID, image)
		}
		former = image
	}
	settleWithin(t, w, 60)
	var changes []string
	for _, ev := range w.State.EventsAfter(after, db.MaxEvents) {
		switch {
		case ev.Kind != pb.EventOperationPlanned:
		case ev.Request == pb.RequestKind_PROMOTE:
			changes = append(changes, "promote")
		case ev.Request == pb.RequestKind_REMOVE_NODE:
			changes = append(changes, "remove")
		}
	}
	return changes
}
