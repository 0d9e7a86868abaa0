// SPDX-License-Identifier: Apache-2.0

// Package guide has no code of its own. Its test follows the guides in docs/
// literally, with real processes.
package guide
