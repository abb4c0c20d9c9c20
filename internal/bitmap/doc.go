// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package bitmap keeps which of a fixed number of numbers, up to 65,536, are
// taken, and finds free ones: the first, one by chance, or whether a given one
// is. It knows nothing of what the numbers are for.
//
// Beside the bits a Set counts what is taken in groups of 1,024 numbers. A
// search goes by rank: it skips groups by their counts, then words by theirs,
// and so costs the same whether one number is free or all but one are. Nothing
// allocates but New, Clone and Decode.
//
// # Why not a library
//
// One number found by chance in the upper 15/16 of a set, taken and freed again;
// the memory of the set; the length of its encoding. Measured by "go run . --only
// libraries" in test/bench/allocators, as processor time on one core of an AMD
// EPYC (family 26), Go 1.26:
//
//	                 this package          bitset v1.29.0        roaring v2.30.0
//	 4,096 empty      67 ns   625 B    8 B    88 ns   561 B   520 B    47 ns   161 B    15 B
//	 4,096 half       62 ns   628 B  520 B    86 ns   561 B   520 B 1,100 ns 2,209 B 1,103 B
//	 4,096 one free   27 ns   625 B   14 B    62 ns   561 B   520 B   102 ns   185 B    18 B
//	65,536 empty      81 ns 8,788 B    9 B   859 ns 8,241 B 8,200 B    50 ns   161 B    15 B
//	65,536 half       84 ns 8,785 B 8,201 B  856 ns 8,241 B 8,200 B   386 ns 8,361 B 8,208 B
//	65,536 one free   46 ns 8,785 B   17 B   838 ns 8,241 B 8,200 B    97 ns   185 B    18 B
//
// github.com/bits-and-blooms/bitset has ranks but no level above the words: its
// cost grows with the size. github.com/RoaringBitmap/roaring is small at the
// extremes, but its containers change form as numbers come and go, which
// allocates, and is slowest at the fill where a block spends its life. Neither
// has bands, or one encoding for one set that a damaged byte is found in.
package bitmap
