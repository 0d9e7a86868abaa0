// SPDX-License-Identifier: Apache-2.0

// This file is empty: its presence lets a Go file of the package declare a function
// without a body, which go:linkname binds.
