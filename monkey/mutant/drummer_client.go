// SPDX-License-Identifier: Apache-2.0

package mutant

// inClient are the planted bugs of the client.
var inClient = []Mutant{
	planted("sent-is-not-sent", "only what was never sent certainly had no effect", "a connection that breaks",
		"drummer/client/sent.go",
		"	if err == nil || s.Load() {\n",
		"	if err == nil || s.Load() && !MUTANT {\n"),
	planted("older-answer-kept", "of two answers the newer one counts", "two answers that overtake each other",
		"drummer/client/cache.go",
		"		if c.clusters[id].dbIndex > response.GetDbIndex() {\n",
		"		if c.clusters[id].dbIndex > response.GetDbIndex() && !MUTANT {\n"),
	planted("gives-up-at-once", "a client asks another server", "a server that is down",
		"drummer/client/client.go",
		"	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Aborted, codes.ResourceExhausted:\n		return true\n",
		"	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Aborted, codes.ResourceExhausted:\n		return !MUTANT\n"),
	planted("old-locations-are-kept", "a location that led nowhere is asked for anew", "a cluster that has moved",
		"drummer/client/cache.go",
		"	delete(c.clusters, clusterID)\n",
		"	if !MUTANT {\n		delete(c.clusters, clusterID)\n	}\n"),
	planted("sends-again-what-may-be-done", "a proposal of unknown outcome is not sent again", "a proposal whose answer is lost",
		"drummer/client/cluster.go",
		"return OutcomeOf(err) == NoEffect && status",
		"return (OutcomeOf(err) == NoEffect || OutcomeOf(err) == Unknown && MUTANT) && status"),
}
