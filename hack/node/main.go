// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// command is what to do, besides its settings.
type command func(ctx context.Context, s settings) error

func commands() map[string]command {
	return map[string]command{
		"up": up, "down": down, "status": status, "load": load, "packages": installAll,
		"serve": serve, machineCommand: machine, // run by up and by serve
	}
}

const usage = `usage: node up|down|status|load|packages [flags] [files]

  up        bring a cluster up, and return when it can be used
  down      take it down, with all that is left of it
  status    say what runs
  load      bring images, files that "ctr images import" takes, into its nodes
  packages  install the packages of Debian that nodes are made of, as up does

flags:
`

// machineCommand is what the supervisor has this program do on a node.
const machineCommand = "machine"

// settings are the command line.
type settings struct {
	dir       string
	endpoints string
	proxyMode string
	nodes     int
	node      int
	images    []string
	args      []string
}

// Who writes Endpoints and EndpointSlices.
const (
	endpointsStock = "stock"
	endpointsOurs  = "ours"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	settings, err := parse(os.Args[2:])
	run := commands()[os.Args[1]]
	if help := slices.Contains([]string{"help", "-h", "-help", "--help"}, os.Args[1]); help || errors.Is(err, flag.ErrHelp) {
		_, _ = parse([]string{"--help"})
		return
	}
	if err != nil {
		os.Exit(2) // the flag package has said why
	}
	if run == nil {
		fmt.Fprintf(os.Stderr, "node: unknown command %q\n%s", os.Args[1], usage)
		os.Exit(2)
	}
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, restore)
	if err := run(ctx, settings); err != nil {
		fmt.Fprintf(os.Stderr, "\n%v\n", err)
		os.Exit(1)
	}
}

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("node", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&s.dir, "dir", "bin/cluster", "`folder` for everything, the kubeconfig too")
	flags.StringVar(&s.endpoints, "endpoints", endpointsStock,
		"who writes Endpoints and EndpointSlices: \"stock\", kube-controller-manager, or \"ours\", nobody before the manager is deployed")
	flags.StringVar(&s.proxyMode, "proxy-mode", "nftables", "mode of kube-proxy: nftables or iptables")
	flags.IntVar(&s.nodes, "nodes", 1, "number of nodes")
	flags.IntVar(&s.node, "node", 0, "for machine: its number")
	images := flags.String("images", "", "files with images for the nodes, separated by commas")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	s.args = flags.Args()
	if *images != "" {
		s.images = strings.Split(*images, ",")
	}
	err := s.check()
	return s, err
}

// check makes the folder absolute and refuses what can't be.
func (s *settings) check() error {
	var err error
	if s.dir, err = filepath.Abs(s.dir); err == nil {
		switch {
		case s.endpoints != endpointsStock && s.endpoints != endpointsOurs:
			err = fmt.Errorf("--endpoints=%s: want %s or %s", s.endpoints, endpointsStock, endpointsOurs)
		case s.proxyMode != "nftables" && s.proxyMode != "iptables":
			err = fmt.Errorf("--proxy-mode=%s: want nftables or iptables", s.proxyMode)
		case s.nodes < 1 || s.nodes > maxNodes:
			err = fmt.Errorf("--nodes=%d: want 1 to %d", s.nodes, maxNodes)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return err
}

// flags gives another process of this program the same settings.
func (s *settings) flags() []string {
	return []string{
		"--dir=" + s.dir,
		"--endpoints=" + s.endpoints,
		"--proxy-mode=" + s.proxyMode,
		fmt.Sprintf("--nodes=%d", s.nodes),
		"--images=" + strings.Join(s.images, ","),
	}
}

// describe tells what is alike in two clusters that can stand for one another.
func (s *settings) describe() string {
	return fmt.Sprintf("endpoints %s, kube-proxy %s, nodes %d", s.endpoints, s.proxyMode, s.nodes)
}

// path inside the folder.
func (s *settings) path(elements ...string) string {
	return filepath.Join(append([]string{s.dir}, elements...)...)
}

// kubeconfig is written last: it is there when the cluster can be used.
func (s *settings) kubeconfig() string { return s.path("kubeconfig") }

// nodeName is the name of the node with a number from 1.
func nodeName(number int) string { return fmt.Sprintf("node-%d", number) }
