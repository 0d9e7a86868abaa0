// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/xml"
	"fmt"

	"github.com/drumbeat-raft/drumbeat/monkey/judge"
)

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	Output   string      `xml:"system-out"`
	Cases    []junitCase `xml:"testcase"`
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Error   *junitMessage `xml:"error,omitempty"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
}

// JUnit makes junit.xml: a test case a check, named by its key, and one for each
// thing that the scenario expects, and one for the verdict where that is of none
// of them. A violation is a failure; what
// is inconclusive is an error, for a CI server must not show it green.
func JUnit(r *judge.Result) ([]byte, error) { return encodeJUnit(suiteOf(r)) }

// JUnits makes one file of several results, as CI servers take it: a suite each.
func JUnits(results []*judge.Result) ([]byte, error) {
	all := junitSuites{}
	for _, r := range results {
		s := suiteOf(r)
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
		all.Suites = append(all.Suites, s)
	}
	return encodeJUnit(all)
}

func encodeJUnit(v any) ([]byte, error) {
	b, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode junit.xml: %w", err)
	}
	return append([]byte(xml.Header), append(b, '\n')...), nil
}

func suiteOf(r *judge.Result) junitSuite {
	s := junitSuite{Name: "drumbeat." + r.Scenario, Time: fmt.Sprintf("%.3f", r.WallSeconds),
		Output: "reproduce: " + r.Reproduce}
	for _, c := range r.Checks {
		if c.Measured {
			c.Detail = "only measured: " + c.Detail
		}
		s.add(c.Name, c.Verdict, c.Detail)
	}
	for _, e := range r.Expect {
		s.add("expect."+e.Name, e.Verdict, e.Detail)
	}
	if r.Reason != "" {
		s.add("verdict", r.Verdict, r.Reason)
	}
	return s
}

func (s *junitSuite) add(name string, v judge.Verdict, detail string) {
	tc := junitCase{Class: s.Name, Name: name}
	switch v {
	case judge.Violation:
		s.Failures++
		tc.Failure = &junitMessage{detail}
	case judge.Inconclusive:
		s.Errors++
		tc.Error = &junitMessage{"inconclusive: " + detail}
	default:
		tc.Output = detail
	}
	s.Tests++
	s.Cases = append(s.Cases, tc)
}
