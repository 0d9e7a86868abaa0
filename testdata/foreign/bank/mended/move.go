// SPDX-License-Identifier: Apache-2.0

package bank

// move moves the money of a transfer that is covered. Accounts may be the same.
func (b *Bank) move(t Transfer) {
	b.balances[t.From] -= t.Amount
	b.balances[t.To] += t.Amount
}
