// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

type takeOverCase struct {
	service *corev1.Service
	pods    []*corev1.Pod
	want    []string
}

// takeOverCases are what the Endpoints controller of Kubernetes 1.36.3 writes.
// In the longer ones a line counts the addresses of a subset.
func takeOverCases() map[string]takeOverCase {
	threePorts := withPorts(named("http", "web"), numbered("metrics", 9090), named("admin", "admin"))
	kinds := func(i int) podOption {
		return func(p *corev1.Pod) {
			if i%3 != 0 {
				declaring("web", 8080)(p)
			}
			if i%3 == 2 {
				declaring("admin", 9000)(p)
			}
		}
	}
	pods := func(count int, ready func(i int) bool) []*corev1.Pod {
		var all []*corev1.Pod
		for i := range count {
			pod := makePod(i, kinds(i))
			if !ready(i) {
				unready(pod)
			}
			all = append(all, pod)
		}
		return all
	}
	every := func(int) bool { return true }
	return map[string]takeOverCase{
		"no pods": {makeService(), nil, nil},
		"one port": {makeService(), makePods(0, 3), []string{
			"http:8080 at 10.0.0.1/web-0 10.0.0.2/web-1 10.0.0.3/web-2",
		}},
		"several kinds of pods": {makeService(threePorts), pods(5, every), []string{
			"metrics:9090 at 10.0.0.1/web-0 10.0.0.2/web-1 10.0.0.3/web-2 10.0.0.4/web-3 10.0.0.5/web-4",
			"http:8080 at 10.0.0.2/web-1 10.0.0.3/web-2 10.0.0.5/web-4",
			"admin:9000 at 10.0.0.3/web-2",
		}},
		"several kinds, some not ready": {makeService(threePorts), pods(7, func(i int) bool { return i%2 == 0 }), []string{
			"admin:9000 at 10.0.0.3/web-2, not ready 10.0.0.6/web-5",
			"http:8080 at 10.0.0.3/web-2 10.0.0.5/web-4, not ready 10.0.0.2/web-1 10.0.0.6/web-5",
			"metrics:9090 at 10.0.0.1/web-0 10.0.0.3/web-2 10.0.0.5/web-4 10.0.0.7/web-6, not ready 10.0.0.2/web-1 10.0.0.4/web-3 10.0.0.6/web-5",
		}},
		"headless without ports": {makeService(withPorts(), withClusterIP("None")), makePods(0, 2), []string{
			"at 10.0.0.1/web-0 10.0.0.2/web-1",
		}},
		"full": {makeService(), makePods(0, 1000), []string{
			"http:8080 at 1000 ready, 0 not",
		}},
		"one too many": {makeService(), makePods(0, 1001), []string{
			"http:8080 at 1000 ready, 0 not",
		}},
		"too many not ready": {makeService(), append(makePods(0, 900), makePods(900, 1200, unready)...), []string{
			"http:8080 at 900 ready, 100 not",
		}},
		"too many ready, and some not": {makeService(), append(makePods(0, 100, unready), makePods(100, 1200)...), []string{
			"http:8080 at 1000 ready, 0 not",
		}},
		"exactly full of ready ones": {makeService(), append(makePods(0, 1000), makePods(1000, 1010, unready)...), []string{
			"http:8080 at 1000 ready, 0 not",
		}},
		"too many in three subsets": {makeService(threePorts), pods(700, every), []string{
			"admin:9000 at 167 ready, 0 not",
			"metrics:9090 at 501 ready, 0 not",
			"http:8080 at 332 ready, 0 not",
		}},
		"a share that floating point rounds up": {
			makeService(withPorts(named("http", "web"))),
			slices.Concat(
				makePods(0, 975, declaring("web", 81)), makePods(975, 1011, declaring("web", 81), unready),
				makePods(1011, 1025, declaring("web", 82), unready)),
			[]string{"http:82 at 0 ready, 8 not", "http:81 at 975 ready, 17 not"},
		},
		"too many not ready, in subsets": {makeService(threePorts), pods(700, func(i int) bool { return i < 300 }), []string{
			"metrics:9090 at 300 ready, 201 not",
			"http:8080 at 200 ready, 134 not",
			"admin:9000 at 100 ready, 65 not",
		}},
	}
}

// brief is a sketch that counts long lists.
func brief(subsets []corev1.EndpointSubset) []string {
	if countAddresses(subsets) < 20 {
		return sketch(subsets)
	}
	var lines []string
	for i := range subsets {
		subset := &subsets[i]
		line := fmt.Sprintf("%s %d ready, %d not", sketch([]corev1.EndpointSubset{{Ports: subset.Ports}})[0], len(subset.Addresses), len(subset.NotReadyAddresses))
		lines = append(lines, line)
	}
	return lines
}

func TestThePlanIsWhatTheStockControllerWrites(t *testing.T) {
	for name, test := range takeOverCases() {
		t.Run(name, func(t *testing.T) {
			got := planned(t, test.service, test.pods...)
			if diff := cmp.Diff(test.want, brief(got.Subsets)); diff != "" {
				t.Errorf("subsets (-want +got):\n%s", diff)
			}
		})
	}
}
