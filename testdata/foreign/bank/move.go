// SPDX-License-Identifier: Apache-2.0

package bank

// move moves the money of a transfer that is covered.
func (b *Bank) move(t Transfer) {
	from, to := b.balances[t.From]-t.Amount, b.balances[t.To]+t.Amount
	b.balances[t.From], b.balances[t.To] = from, to
}
