// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

func (k *keyCheck) explain(ctx context.Context) ([]history.Op, string) { return nil, "" }

func explainModel(ctx context.Context, o Options, p *part) ([]history.Op, string) { return nil, "" }
