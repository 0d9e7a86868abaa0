// SPDX-License-Identifier: Apache-2.0

package mutant

var inClients = []Mutant{
	planted("cas-ignores-expected", "a cas writes only where its key holds what is expected", "a cas that does not match",
		"monkey/statemachine/kv/store.go", "		if seen.Value != c.Expected {\n			return Answer",
		"		if seen.Value != c.Expected && !MUTANT {\n			return Answer"),
	planted("append-replaces", "an append adds to the value", "an append to a key that is there",
		"monkey/statemachine/kv/store.go", "		value = Some(seen.Value.Text + c.Value.Text)\n",
		"		value = Some(seen.Value.Text + c.Value.Text)\n		if seen.Value.Text != \"\" && MUTANT {\n			value = c.Value\n		}\n"),
	planted("delete-keeps", "a deleted key is absent", "a delete of a key that is there",
		"monkey/statemachine/kv/store.go", "		value = Maybe{}\n",
		"		value = Maybe{}\n		if seen.Value.Present && MUTANT {\n			value = seen.Value\n		}\n"),
	planted("unknown-is-sent-again", "a proposal of unknown outcome under a no-op session is not sent again", "a proposal whose answer is lost",
		"monkey/workload/retry.go", "		if outcome == client.Unknown && !r.repeatable || permanent[detail.GetCode()] {\n",
		"		if outcome == client.Unknown && !r.repeatable && !MUTANT || permanent[detail.GetCode()] {\n"),
	planted("unknown-is-a-failure", "only what certainly had no effect is a failure", "a proposal whose answer is lost",
		"drummer/client/nodehost.go", "	if detail := RaftErrorOf(err); detail.GetNoEffect() {\n		return NoEffect\n	}\n	return Unknown\n",
		"	if detail := RaftErrorOf(err); detail.GetNoEffect() {\n		return NoEffect\n	}\n	if MUTANT {\n		return NoEffect\n	}\n	return Unknown\n"),
	planted("timeout-is-a-failure", "a proposal that timed out may take effect", "a cluster that is slow or without a leader",
		"drummer/nodehostapi/errors.go", "	return withDetail(grpcCode, f.err.Error(), code, f.noEffect)\n",
		"	if code == pb.RaftErrorCode_TIMEOUT && !f.noEffect && MUTANT {\n		f.noEffect = true\n	}\n	return withDetail(grpcCode, f.err.Error(), code, f.noEffect)\n"),
	planted("reads-are-stale", "a read is linearizable", "a member that lags behind or is cut off",
		"drummer/nodehostapi/server.go", "	if req.GetStale() {\n",
		"	if req.GetStale() || MUTANT {\n"),
	planted("session-used-twice", "each proposal of a session has a series of its own", "two proposals of a client",
		"drummer/client/nodehost.go", "	session.RespondedTo = session.SeriesId\n",
		"	if session.SeriesId%16 == 0 && MUTANT {\n		return\n	}\n	session.RespondedTo = session.SeriesId\n"),
}
