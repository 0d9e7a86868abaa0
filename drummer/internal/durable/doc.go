// SPDX-License-Identifier: Apache-2.0

// Package durable keeps small files that a process must find again after it was
// killed or lost its power, through the file system that its NodeHost uses.
//
// It is for what is written seldom and read once, not for logs.
package durable
