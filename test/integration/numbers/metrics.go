// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package numbers

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
)

// Scrape returns the metrics of a manager by name and labels.
func Scrape(ctx context.Context, url string) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	metrics := map[string]float64{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, text, found := cutLast(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); found && err == nil {
			metrics[name] = value
		}
	}
	return metrics, nil
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}
