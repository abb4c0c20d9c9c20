// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// The blocks that something is done to. Each has the number of one Service,
// service-1 and so on. The first one has that of the Service kubernetes.
const (
	deletedBlock = iota + 1
	replacedBlock
	mistakenBlock
	cutBlock
	textBlock
	flippedBlock
	incompleteBlock
	newerBlock
	labelledBlock
	laterBlock
	blockCount
)

// portBlock is the block of all node ports of the default range that specs use.
const portBlock = "nodeport-28672"

// blocks are the specs of what can be wrong with blocks, all of it at once.
func (f *Family) blocks() {
	b := &blockSpecs{Family: f}

	BeforeAll(func(ctx SpecContext) {
		in := f.on.NewSpace(ctx, nil)
		b.in = in
		DeferCleanup(f.on.ForgetEvents)
		for i := deletedBlock; i < blockCount; i++ {
			f.expose(ctx, in, fmt.Sprintf("service-%d", i), f.place(i, 5+i).String())
		}
		f.expose(ctx, in, "port", f.place(laterBlock, 900).String(), 31234)
		b.manager = f.on.StartManager(ctx, "repairing", "--repair-interval=2s")
		f.on.Settle(ctx, b.manager)
		f.spoilAll(ctx)
	}, NodeTimeout(numbers.StartTimeout))

	DescribeTable("makes a block anew that was deleted while in use:", func(ctx SpecContext, name func() string) {
		Eventually(f.on.Events).WithContext(ctx).Should(ContainElement("BlockLost AllocationBlock " + name()))
	},
		Entry("one of addresses", func() string { return f.block(deletedBlock) }),
		Entry("one of ports", func() string { return portBlock }),
	)

	DescribeTable("makes a block anew that was", func(ctx SpecContext, index int) {
		Eventually(f.on.Events).WithContext(ctx).Should(ContainElements(
			"BlockLost AllocationBlock "+f.block(index), fmt.Sprintf("ClusterIPNotAllocated Service service-%d", index)))
	},
		Entry("replaced by an earlier one", replacedBlock),
		Entry("mistaken for another", mistakenBlock),
	)

	DescribeTable("makes a block anew that can't be read, which", func(ctx SpecContext, index int) {
		Eventually(f.on.Events).WithContext(ctx).Should(ContainElement("BlockUnreadable AllocationBlock " + f.block(index)))
	},
		Entry("is cut short", cutBlock), Entry("is another text", textBlock),
		Entry("has a bit flipped", flippedBlock), Entry("lacks a section, with the right checksum", incompleteBlock),
	)

	It("leaves a block of a newer release alone", b.leavesNewer)
	It("changes nothing of what others say on a block, nor a block that is none", b.leavesForeign)
	It("does no more than that", b.doesNoMore)
	It("makes good at a start what was done while no manager ran", b.startsAfterMistakes)
}

// blockSpecs are specs of blocks that take some lines.
type blockSpecs struct {
	*Family

	in      numbers.Space
	manager *controlplane.Manager
}

func (b *blockSpecs) leavesNewer(ctx SpecContext) {
	Eventually(b.on.Events).WithContext(ctx).Should(ContainElement("BlockUnreadable AllocationBlock " + b.block(newerBlock)))
	object := b.object(ctx, newerBlock)
	Expect(object.Data).To(Equal(newer(object.Data)))

	By("taking its numbers over when it is gone")
	Expect(b.on.API.Delete(ctx, object)).To(Succeed())
	b.on.ExpectUsed(ctx)
}

func (b *blockSpecs) leavesForeign(ctx SpecContext) {
	Expect(b.object(ctx, labelledBlock).Labels).To(HaveKeyWithValue("who", "me"))
	Expect(b.on.API.Get(ctx, client.ObjectKey{Name: "foreign"}, &servicenetv1alpha1.AllocationBlock{})).To(Succeed())
	Expect(numbers.ErrorsLogged(b.manager)).To(HaveEach(ContainSubstring("Left a block alone")))
}

func (b *blockSpecs) doesNoMore(ctx SpecContext) {
	b.on.ExpectUsed(ctx)
	told := []string{"BlockLost AllocationBlock " + portBlock}
	for _, lost := range []int{deletedBlock, replacedBlock, mistakenBlock, newerBlock} {
		told = append(told, "BlockLost AllocationBlock "+b.block(lost))
	}
	for _, other := range []int{replacedBlock, mistakenBlock} {
		told = append(told, fmt.Sprintf("ClusterIPNotAllocated Service service-%d", other))
	}
	for _, broken := range []int{cutBlock, textBlock, flippedBlock, incompleteBlock, newerBlock} {
		told = append(told, "BlockUnreadable AllocationBlock "+b.block(broken))
	}
	Expect(b.on.Events(ctx)).To(ConsistOf(told))
	for kind, count := range map[string]int{"block_lost": 5, "block_broken": 4, "block_newer": 1, "not_allocated": 2, "unknown": 0} {
		Expect(numbers.Findings(ctx, b.manager, kind)).To(BeNumerically("==", count), kind)
	}
}

func (b *blockSpecs) startsAfterMistakes(ctx SpecContext) {
	Expect(b.manager.Stop(ctx)).To(Succeed())
	b.on.ForgetEvents(ctx)
	Expect(b.on.API.Delete(ctx, b.object(ctx, deletedBlock))).To(Succeed())
	b.on.Spoil(ctx, b.block(cutBlock), cut)
	b.on.Tamper(ctx, b.block(laterBlock), func(block *ledger.Block) { block.Adopt(3000) })
	b.in.Remove(ctx, fmt.Sprintf("service-%d", labelledBlock))
	b.in.Remove(ctx, "port")

	b.on.StartManager(ctx, "later", "--repair-interval=2s")
	b.on.ExpectUsed(ctx)
	Expect(b.on.Events(ctx)).To(ConsistOf("BlockUnreadable AllocationBlock " + b.block(cutBlock)))
}

// spoilAll does to each block what it is there for.
func (f *Family) spoilAll(ctx context.Context) {
	GinkgoHelper()
	for name, change := range map[int]func([]byte) []byte{
		replacedBlock: func([]byte) []byte { return encoded(ledger.NewBlock(1)) },
		mistakenBlock: func([]byte) []byte { return f.object(ctx, labelledBlock).Data },
		cutBlock:      cut,
		textBlock:     func([]byte) []byte { return []byte("nonsense, and more of it") },
		flippedBlock:  func(data []byte) []byte { data[len(data)/2] ^= 4; return data },
		incompleteBlock: func(data []byte) []byte {
			const lastSections = 2 + checksumBytes // an empty section has two bytes
			return summed(data[:len(data)-lastSections])
		},
		newerBlock: newer,
	} {
		f.on.Spoil(ctx, f.block(name), change)
	}
	for _, name := range []string{f.block(deletedBlock), portBlock} {
		object := &servicenetv1alpha1.AllocationBlock{ObjectMeta: metav1.ObjectMeta{Name: name}}
		Expect(f.on.API.Delete(ctx, object)).To(Succeed())
	}
	labelled := f.object(ctx, labelledBlock)
	labelled.Labels = map[string]string{"who": "me"}
	Expect(f.on.API.Update(ctx, labelled)).To(Succeed())
	key := f.place(blockCount, 0).Key
	Expect(f.on.API.Create(ctx, &servicenetv1alpha1.AllocationBlock{
		ObjectMeta: metav1.ObjectMeta{Name: "foreign"}, Family: key.Family, First: key.First(), Data: encoded(ledger.NewBlock(1)),
	})).To(Succeed())
}

// object returns a block of addresses as it is in the API server.
func (f *Family) object(ctx context.Context, index int) *servicenetv1alpha1.AllocationBlock {
	GinkgoHelper()
	object := &servicenetv1alpha1.AllocationBlock{}
	Expect(f.on.API.Get(ctx, client.ObjectKey{Name: f.block(index)}, object)).To(Succeed())
	return object
}

func encoded(block *ledger.Block) []byte {
	GinkgoHelper()
	data, err := block.Encode()
	Expect(err).NotTo(HaveOccurred())
	return data
}

// checksumBytes is how long the checksum at the end of a record is.
const checksumBytes = 4

// cut returns a record without its end.
func cut(data []byte) []byte { return data[:len(data)-3] }

// newer returns a record that only a later release can read, as its second byte says.
func newer(data []byte) []byte {
	body := append([]byte{}, data[:len(data)-checksumBytes]...)
	body[1] = 200
	return summed(body)
}

// summed returns the rest of a record with its checksum.
func summed(body []byte) []byte {
	return binary.LittleEndian.AppendUint32(body, crc32.ChecksumIEEE(body))
}
