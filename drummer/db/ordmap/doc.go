// SPDX-License-Identifier: Apache-2.0

// Package ordmap is a persistent ordered map: Set and Delete return a new map
// and leave the old one as it was, and iteration is in the order of keys.
//
// DrummerDB keeps its state in such maps, so that a snapshot for the
// scheduler or for a reader costs a copied pointer, and no walk over them can
// depend on Go's random map order. It is not a general container: there is no
// range deletion.
package ordmap
