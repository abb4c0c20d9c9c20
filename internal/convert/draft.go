// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

const (
	// mostAddresses and mostExclusions are what a pool has room for.
	mostAddresses, mostExclusions = 64, 256
	// servedBy, and the name of a pool, is a label for what no selector of ours picks.
	servedBy = "pool.servicenet.dev/"
)

// draft is a pool that comes to be.
type draft struct {
	*servicenetv1alpha1.LoadBalancerPool

	// about names what it is made of.
	about     string
	addresses []stretch
	exclude   []stretch
	// rank orders pools; those with a higher one go first.
	rank int
}

// draft begins a pool. It is nil if there is one of the name already.
func (w *work) draft(about, name string) *draft {
	if slices.ContainsFunc(w.drafts, func(d *draft) bool { return d.Name == name }) {
		w.losef(about, "is left out: there is another pool of the name %s, and ours have no namespaces", name)
		return nil
	}
	d := &draft{LoadBalancerPool: newPool(name), about: about}
	w.drafts = append(w.drafts, d)
	return d
}

// add gives a pool addresses, of which there may be more than it can take.
func (w *work) add(d *draft, all ...stretch) {
	for _, s := range all {
		parts, narrowed := s.narrow(w.used)
		if narrowed {
			w.losef(d.about, "%s is more than a pool can take: it has %s of it", s, strings.Join(texts(parts), ", "))
		}
		for _, part := range parts {
			if !slices.ContainsFunc(d.addresses, func(have stretch) bool { return have.IPRange == part.IPRange }) {
				d.addresses = append(d.addresses, part)
			}
		}
	}
}

// addTexts gives a pool addresses that are written.
func (w *work) addTexts(d *draft, all []string) {
	for _, text := range all {
		s, err := parseStretch(text)
		if err != nil {
			w.losef(d.about, "%v: it is left out", err)
			continue
		}
		w.add(d, s)
	}
}

// avoidConfusing excludes the addresses of IPv4 that end in 0 or 255.
func (w *work) avoidConfusing(d *draft) {
	for _, s := range d.addresses {
		d.exclude = append(d.exclude, s.confusing(mostExclusions)...)
	}
	if len(d.exclude) > mostExclusions {
		d.exclude = nil
		w.losef(d.about, "addresses that end in .0 or .255 are not excluded: a pool has room for %d exclusions", mostExclusions)
	}
}

// serveEither has a pool serve namespaces of some names, and those that any of some
// selectors picks; all if there are neither.
func (w *work) serveEither(d *draft, names []string, selectors []metav1.LabelSelector) {
	if len(names) > 0 {
		selectors = append([]metav1.LabelSelector{pinned(names)}, selectors...)
	}
	one, can := either(selectors)
	switch {
	case can:
		d.Spec.NamespaceSelector = one
	case len(w.namespaces) > 0:
		matching := w.namespacesOf(selectors)
		d.Spec.NamespaceSelector, _ = either([]metav1.LabelSelector{pinned(matching)})
		w.losef(d.about, "it serves the namespaces that any of several selectors picks, which one selector can't say: "+
			"the pool serves those that they pick now (%s), and no later ones", strings.Join(matching, ", "))
		if len(matching) == 0 {
			d.Spec.NamespaceSelector = w.byLabel(d)
		}
	default:
		d.Spec.NamespaceSelector = w.byLabel(d)
		w.losef(d.about, "it serves the namespaces that any of several selectors picks, which one selector can't say: "+
			"label these %s%s, or convert with the Namespaces at hand", servedBy, d.Name)
	}
}

// namespacesOf returns the names of those that any of some selectors picks.
func (w *work) namespacesOf(selectors []metav1.LabelSelector) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(w.namespaces)) {
		if picks(selectors, w.namespaces[name].Labels) {
			found = append(found, name)
		}
	}
	return found
}

func picks(selectors []metav1.LabelSelector, of map[string]string) bool {
	return slices.ContainsFunc(selectors, func(s metav1.LabelSelector) bool {
		parsed, err := metav1.LabelSelectorAsSelector(&s)
		return err == nil && parsed.Matches(labels.Set(of))
	})
}

// serveServices has a pool serve Services that any of some selectors picks; all if there
// are none. has returns what the selectors see of a Service.
func (w *work) serveServices(d *draft, selectors []metav1.LabelSelector, sayable bool, has func(*corev1.Service) map[string]string) {
	if one, can := either(selectors); can && sayable {
		d.Spec.ServiceSelector = one
		return
	}
	d.Spec.ServiceSelector = w.byLabel(d)
	w.losef(d.about, "which Services it serves is more than a selector of ours can say: it serves those that are labelled %s%s, "+
		"as those that it serves now are to be", servedBy, d.Name)
	for _, service := range w.services {
		if picks(selectors, has(service)) {
			w.Result.edit(service.Namespace, service.Name).Labels[servedBy+d.Name] = ""
		}
	}
}

// byLabel returns a selector on a label that says that a pool serves something.
func (w *work) byLabel(d *draft) *metav1.LabelSelector {
	if len(validation.IsQualifiedName(servedBy+d.Name)) > 0 {
		w.losef(d.about, "its name is too long for a label: make the pool by hand")
	}
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: servedBy + d.Name, Operator: metav1.LabelSelectorOpExists},
	}}
}

// finish makes pools of the drafts.
func (w *work) finish() {
	slices.SortFunc(w.drafts, func(a, b *draft) int { return cmp.Compare(a.Name, b.Name) })
	for i, d := range w.drafts {
		if len(d.addresses) == 0 {
			w.losef(d.about, "is left out: it has no addresses")
			continue
		}
		d.Spec.Addresses, d.Spec.Exclusions = addressTexts(d.addresses), texts(d.exclude)
		if len(d.Spec.Addresses) > mostAddresses {
			w.losef(d.about, "is left out: it has %d ranges, and a pool of ours at most %d: make several by hand",
				len(d.Spec.Addresses), mostAddresses)
			continue
		}
		if faults := pool.CompileLoadBalancerPool(d.LoadBalancerPool).Faults; len(faults) > 0 {
			w.losef(d.about, "is left out: %s", strings.Join(faults, "; "))
			continue
		}
		w.Pools = append(w.Pools, d.LoadBalancerPool)
		w.compare(d, w.drafts[:i])
	}
}

// addressTexts writes the addresses of a pool, which are never single ones.
func addressTexts(of []stretch) []string {
	written := make([]string, len(of))
	for i, s := range of {
		written[i] = s.String()
	}
	return written
}

// compare notes which other pools have addresses of one.
func (w *work) compare(d *draft, others []*draft) {
	for _, other := range others {
		for _, s := range d.addresses {
			if slices.ContainsFunc(other.addresses, func(o stretch) bool { return o.Overlaps(s.IPRange) }) {
				w.losef(d.about, "has addresses that %s has, too: with us, an address is of one pool alone", other.about)
				break
			}
		}
	}
}

// rankAll sets the priority of pools that go before others. The lowest rank needs none.
func (w *work) rankAll() {
	const apart = 10
	var ranks []int
	for _, d := range w.drafts {
		ranks = append(ranks, d.rank)
	}
	slices.Sort(ranks)
	ranks = slices.Compact(ranks)
	for _, d := range w.drafts {
		d.Spec.Priority = int32(apart * slices.Index(ranks, d.rank)) //nolint:gosec // there are not so many pools
	}
}

// holds tells whether a pool that was converted has an address.
func (w *work) holds(address netip.Addr) bool {
	return slices.ContainsFunc(w.drafts, func(d *draft) bool {
		return slices.ContainsFunc(d.addresses, func(s stretch) bool { return s.Contains(address) })
	})
}
