// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// patience is how long one request may take.
const patience = 5 * time.Second

// asker makes one request and returns the answer.
type asker func(ctx context.Context, target string) (string, error)

// tally asks again and again, and prints how often there was which answer.
func tally(ctx context.Context, count int, ask asker, target string) error {
	answers := map[string]int{}
	var failure error
	for range count {
		ctx, cancel := context.WithTimeout(ctx, patience)
		answer, err := ask(ctx, target)
		cancel()
		if err != nil {
			failure = err
			answer = "error"
		}
		answers[strings.TrimSpace(answer)]++
	}
	for _, answer := range slices.Sorted(maps.Keys(answers)) {
		fmt.Printf("%d %s\n", answers[answer], answer)
	}
	return failure
}

// get is a GET on a connection of its own.
func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, response.Status)
	}
	return string(body), err
}

// datagram sends one, and waits for one.
func datagram(ctx context.Context, target string) (string, error) {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "udp", target)
	if err != nil {
		return "", err
	}
	defer func() { _ = connection.Close() }()
	if deadline, bounded := ctx.Deadline(); bounded {
		if err := connection.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	if _, err := fmt.Fprintln(connection, "who is there?"); err != nil {
		return "", err
	}
	buffer := make([]byte, 1<<10)
	length, err := connection.Read(buffer)
	return string(buffer[:length]), err
}

// hold opens a connection to an echo, prints who answers, and waits for its end. That
// is the other side's to bring about.
func hold(ctx context.Context, target string) error {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	_, err = io.Copy(os.Stdout, connection)
	return err
}

// lookup prints what the resolver of the pod says of a name.
func lookup(ctx context.Context, kind, name string) error {
	var answers []string
	var err error
	resolver := &net.Resolver{PreferGo: true}
	switch kind {
	case "ip":
		answers, err = resolver.LookupHost(ctx, name)
	case "ptr":
		answers, err = resolver.LookupAddr(ctx, name)
	case "cname":
		var answer string
		answer, err = resolver.LookupCNAME(ctx, name)
		answers = []string{answer}
	case "srv":
		var records []*net.SRV
		_, records, err = resolver.LookupSRV(ctx, "", "", name)
		for _, record := range records {
			answers = append(answers, fmt.Sprintf("%s:%d", record.Target, record.Port))
		}
	default:
		err = fmt.Errorf("unknown kind %q of a name", kind)
	}
	if err != nil {
		return err
	}
	slices.Sort(answers)
	fmt.Println(strings.Join(answers, "\n"))
	return nil
}
