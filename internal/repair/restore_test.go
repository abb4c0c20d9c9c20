// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"bytes"
	"testing"
	"time"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// absent is the holder that never was.
const absent = ledger.Holder(99)

// lastBlock has 1 used, 2 on loan, 3 held, 4 kept for shop/web, and 5 on loan that
// was kept for it.
func lastBlock() (*ledger.Block, ledger.Retention) {
	kept := ledger.Retention{Until: time.Unix(noon().Unix(), 0), For: ledger.SubjectOf(named("shop/web"))}
	last := ledger.NewBlock(1)
	for number := 1; number <= 5; number++ {
		last.Adopt(number)
	}
	last.Release(2, ledger.Retention{})
	last.Claim(2, 2, 7)
	last.Release(3, ledger.Retention{})
	last.Release(4, kept)
	last.Release(5, kept)
	hold, _ := last.Hold(5)
	last.Claim(5, hold.Serial, 7)
	return last, kept
}

func TestRestoredBlock(t *testing.T) {
	last, kept := lastBlock()
	for name, known := range map[string]*ledger.Block{"nothing known": nil, "the last block known": last} {
		t.Run(name, func(t *testing.T) {
			block := ledger.NewBlock(1000)
			Restore(block, known, setOf(1, 9), absent)
			if used, lent, held := block.Count(); used != 2 || lent != allocator.BlockSize-2 || held != 0 {
				t.Errorf("%d used, %d on loan, %d held", used, lent, held)
			}
			for number := range allocator.BlockSize {
				loan, lent := block.Loan(number)
				keeps := known != nil && (number == 4 || number == 5)
				switch {
				case number == 1 || number == 9:
					if block.State(number) != ledger.Used {
						t.Errorf("%d, which is carried, is %s", number, block.State(number))
					}
				case !lent || loan.Holder != absent || loan.Recall != nil || (loan.Kept != nil) != keeps:
					t.Errorf("%d is %s: %+v", number, block.State(number), loan)
				case keeps && (loan.Kept.For.Digest() != kept.For.Digest() || !loan.Kept.Until.Equal(kept.Until)):
					t.Errorf("%d is kept for %s until %s", number, loan.Kept.For, loan.Kept.Until)
				}
			}
		})
	}
}

func TestRestoredNumberIsUsedWhateverItWas(t *testing.T) {
	last, _ := lastBlock()
	block := ledger.NewBlock(1000)
	Restore(block, last, setOf(1, 2, 3, 4, 5), absent)
	for number := 1; number <= 5; number++ {
		if block.State(number) != ledger.Used {
			t.Errorf("%d, which is carried, is %s", number, block.State(number))
		}
	}
}

// TestRestoredBlockGoesOn follows what others do with it: the absent holder's loans
// are taken back.
func TestRestoredBlockGoesOn(t *testing.T) {
	last, kept := lastBlock()
	block := ledger.NewBlock(1000)
	Restore(block, last, setOf(1), absent)
	data, err := block.Encode()
	if err != nil || len(data) > 20_000 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	block.ReclaimAll(absent)
	for number, hold := range block.Holds() {
		if keeps := number == 4 || number == 5; hold.Denies(ledger.SubjectOf(named("team/api"))) != keeps {
			t.Errorf("%d is held for %s", number, hold.For)
		}
		if hold.Serial <= 1000 {
			t.Errorf("%d is held as number %d, which an earlier block may have had", number, hold.Serial)
		}
	}
	if hold, _ := block.Hold(4); !hold.Until.Equal(kept.Until) || hold.Denies(kept.For) {
		t.Errorf("4 is held for %s until %s", hold.For, hold.Until)
	}
}

// TestRestoreOfWhatIsThereAddsOnly is for a block that others deleted, and that a
// replica has made anew meanwhile.
func TestRestoreOfWhatIsThereAddsOnly(t *testing.T) {
	last, _ := lastBlock()
	block := ledger.NewBlock(1000)
	block.Lend(1, 7)
	block.Adopt(2)
	block.Adopt(4)
	block.Release(4, ledger.Retention{})
	before := block.Clone()
	Restore(block, last, setOf(1, 9), absent)
	for _, number := range []int{1, 2, 4} {
		if block.State(number) != before.State(number) {
			t.Errorf("%d was %s, is %s", number, before.State(number), block.State(number))
		}
	}
	if loan, _ := block.Loan(1); loan.Holder != 7 {
		t.Errorf("the loan is %s's", loan.Holder)
	}
	if _, _, held := block.Count(); held != 1 || block.State(9) != ledger.Used {
		t.Errorf("%d held, 9 is %s", held, block.State(9))
	}
	// Once more changes nothing: a write whose answer was lost is tried again.
	again := block.Clone()
	Restore(again, last, setOf(1, 9), 100)
	one, _ := block.Encode()
	two, _ := again.Encode()
	if !bytes.Equal(one, two) {
		t.Error("a second time changed it")
	}
}
