// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"testing"
	"time"
)

func TestMagazine(t *testing.T) {
	const plenty = 1 << 20
	for name, test := range map[string]struct {
		kept   int
		lasted time.Duration
		free   int
		want   int
	}{
		"begins with the least":                {0, time.Minute, plenty, 16},
		"begins with the least, in haste":      {0, 0, plenty, 16},
		"grows when it is gone at once":        {16, 0, plenty, 32},
		"grows when it is gone quickly":        {40, time.Second - 1, plenty, 80},
		"stays when it lasts a second":         {40, time.Second, plenty, 40},
		"stays when it lasts half a minute":    {40, 30 * time.Second, plenty, 40},
		"shrinks when it lasts longer":         {40, 30*time.Second + 1, plenty, 20},
		"shrinks by half":                      {256, time.Hour, plenty, 128},
		"never shrinks below the least":        {20, time.Hour, plenty, 16},
		"stays at the least":                   {16, time.Hour, plenty, 16},
		"grows up to the most":                 {200, 0, plenty, 256},
		"never grows beyond the most":          {256, 0, plenty, 256},
		"has a 64th of what is free":           {256, time.Second, 6400, 100},
		"has no more than a 64th in haste":     {100, 0, 6400, 100},
		"has less than the least if need be":   {16, time.Second, 1023, 15},
		"has the least as soon as it may":      {16, time.Second, 1024, 16},
		"has the most as soon as it may":       {256, 0, 16384, 256},
		"just misses the most":                 {256, 0, 16383, 255},
		"has one number in a small pool":       {16, 0, 64, 1},
		"has one number, rounded down":         {16, 0, 127, 1},
		"has none in a smaller pool":           {16, 0, 63, 0},
		"has none in a pool of one":            {256, 0, 1, 0},
		"has none in a full pool":              {256, 0, 0, 0},
		"has none in a full pool, when it did": {0, time.Hour, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Magazine(test.kept, test.lasted, test.free); got != test.want {
				t.Errorf("%d numbers, want %d", got, test.want)
			}
		})
	}
}

func TestSmallPoolsHaveNoMagazine(t *testing.T) {
	for free := range 64 {
		for _, kept := range []int{0, 16, 256} {
			if got := Magazine(kept, 0, free); got != 0 {
				t.Errorf("%d numbers of %d, after %d", got, free, kept)
			}
		}
	}
}

// However many replicas borrow one after the other, what each may have is small
// beside what is left for all.
func TestMagazinesNeverMakeAPoolLookFull(t *testing.T) {
	for _, size := range []int{100, 2768, 4096, 65536} {
		free := size
		for range 32 {
			free -= Magazine(256, 0, free)
		}
		if free < size/2 {
			t.Errorf("32 replicas leave %d of %d", free, size)
		}
	}
}
