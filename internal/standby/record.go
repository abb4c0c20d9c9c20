// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package standby

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
)

// What is asked with. Both Services are headless, so that they take no number, and lead
// nowhere.
const (
	// ServiceName is of the Service whose selector matches nothing. Who writes
	// EndpointSlices or Endpoints, writes empty ones for it.
	ServiceName = "servicenet-endpoints-question"
	// MirroredName is of the Service without a selector, and of Endpoints that are to
	// be mirrored.
	MirroredName = "servicenet-mirroring-question"
	// QuestionLabel bears the word that is to be answered: on the first Service and on
	// the Endpoints of the second.
	QuestionLabel = "servicenet.dev/endpoints-question"
	// RecordAnnotation of the first Service is the leader's [Record].
	RecordAnnotation = "servicenet.dev/endpoints-decisions"
)

// Question tells whether a Service is one of those that ask, in the namespace that they
// are in.
func Question(service types.NamespacedName, namespace string) bool {
	return service.Namespace == namespace && (service.Name == ServiceName || service.Name == MirroredName)
}

// Record is what a leader has decided, by controller.
type Record map[string]Recorded

// Recorded is a decision.
type Recorded struct {
	Decision

	// Since is when it was taken, as RFC 3339 has it. It is for people: nothing is
	// decided by it.
	Since string `json:"since"`
}

// String encodes a record.
func (r Record) String() string {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // texts and truths can always be encoded
	}
	return string(text)
}

// ParseRecord decodes a record. None is an empty one.
func ParseRecord(text string) (Record, error) {
	record := Record{}
	if text == "" {
		return record, nil
	}
	if err := json.Unmarshal([]byte(text), &record); err != nil {
		return nil, fmt.Errorf("reading what a leader has decided: %w", err)
	}
	return record, nil
}
