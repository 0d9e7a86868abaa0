// SPDX-License-Identifier: Apache-2.0

// Package search looks for an order of any operations under any model: depth
// first, breadth first, then by porcupine. It is bounded in time and memory
// and answers model.Unknown when it gives up.
//
// It is for what package zones can't decide, and much slower.
package search
