// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Command traffic is what pods of the end-to-end tests run.
//
//	traffic serve               HTTP on :8080, echoes of TCP and UDP on :9000
//	traffic get N URL           N requests, each on a connection of its own: how often who answered
//	traffic udp N HOST:PORT     the same with datagrams
//	traffic metrics TOKEN URL   the code of the answer and what comes with it; no TOKEN if empty
//	traffic lookup KIND NAME    what DNS says: ip, srv, ptr or cname, one answer a line, sorted
//	traffic hold HOST:PORT      a connection to an echo: who answers, and nothing more until it ends
//	traffic load N URL          asks until it is ended, N requests at a time, each on a connection
//	                            of its own; :8080/tally says how often there was which answer
//
// As a server it answers / (its name), /client (the address the request came from), /env
// and /healthz, and /die has it end at once. Asked to end, it answers for 10 s more, as
// servers behind a load balancer do. Clients end with status 1 when a request has no
// answer, and say why.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "serve":
		return serve(ctx)
	case len(args) == 2 && args[0] == "hold":
		return hold(ctx, args[1])
	case len(args) == 3 && args[0] == "lookup":
		return lookup(ctx, args[1], args[2])
	case len(args) == 3 && args[0] == "metrics":
		return scrape(ctx, args[1], args[2])
	case len(args) == 3:
		return askMany(ctx, args[0], args[1], args[2])
	default:
		return fmt.Errorf("traffic: unknown arguments %q", args)
	}
}

// askMany is what has a number of requests and a target.
func askMany(ctx context.Context, kind, number, target string) error {
	count, err := strconv.Atoi(number)
	if err != nil {
		return fmt.Errorf("number of requests: %w", err)
	}
	switch kind {
	case "get":
		return tally(ctx, count, get, target)
	case "udp":
		return tally(ctx, count, datagram, target)
	case "load":
		return load(ctx, count, target)
	default:
		return fmt.Errorf("traffic: unknown kind %q of requests", kind)
	}
}
