// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	webAddress  = ":8080"
	echoAddress = ":9000"
	// lameDuck is how long a server answers once it was asked to end.
	lameDuck = 10 * time.Second
	// idleTimeout bounds the wait for what a client has to say.
	idleTimeout = time.Minute
)

// serve answers until the context ends, and a while longer.
func serve(ctx context.Context) error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	servers := &net.ListenConfig{}
	connections, err := servers.Listen(ctx, "tcp", echoAddress)
	if err != nil {
		return err
	}
	datagrams, err := servers.ListenPacket(ctx, "udp", echoAddress)
	if err != nil {
		return err
	}
	go echoConnections(connections, name)
	go echoDatagrams(datagrams, name)

	ended := make(chan error, 1)
	end := func(err error) {
		select {
		case ended <- err:
		default: // it ends already
		}
	}
	web := &http.Server{Addr: webAddress, Handler: pages(name, end), ReadHeaderTimeout: idleTimeout}
	context.AfterFunc(ctx, func() {
		time.AfterFunc(lameDuck, func() { end(nil) })
	})
	go func() { end(web.ListenAndServe()) }()
	return <-ended
}

func pages(name string, end func(error)) http.Handler {
	mux := http.NewServeMux()
	for path, text := range map[string]func(*http.Request) string{
		"/{$}":     func(*http.Request) string { return name },
		"/healthz": func(*http.Request) string { return "ok" },
		"/env":     func(*http.Request) string { return strings.Join(os.Environ(), "\n") },
		"/client": func(r *http.Request) string {
			host, _, err := net.SplitHostPort(r.RemoteAddr)
			if err != nil {
				return err.Error()
			}
			return host
		},
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, text(r)) })
	}
	mux.HandleFunc("/die", func(_ http.ResponseWriter, r *http.Request) {
		end(errors.New("asked to die"))
		<-r.Context().Done() // there is no answer
	})
	return mux
}

// echoConnections answers each line of a connection with the name and the line.
func echoConnections(listener net.Listener, name string) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = connection.Close() }()
			if _, err := fmt.Fprintln(connection, name); err == nil {
				_, _ = io.Copy(connection, connection) // until the client has enough
			}
		}()
	}
}

// echoDatagrams answers each datagram with the name.
func echoDatagrams(listener net.PacketConn, name string) {
	buffer := make([]byte, 1<<10)
	for {
		_, from, err := listener.ReadFrom(buffer)
		if err != nil {
			return
		}
		_, _ = listener.WriteTo([]byte(name+"\n"), from) // a lost answer is the client's to notice
	}
}
