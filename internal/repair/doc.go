// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package repair compares the ledger with the Services and the IPAddress objects
// of the API server, and says what is wrong and what is to be done about it.
//
//	look := memory.Look(&world, now)
//	// take over look.Adopt; confirm, tell and fix look.Due; come again at look.Next
//
// Compare says what does not agree at a moment. Much of that is only under way, or
// seen through caches that are not equally old, so a Memory waits until a finding
// has lasted for 10 s, or for 2 min what the API server mends itself. The caller then
// reads the one Service again (Confirmed), so that a cache that stands still tells
// nothing either, and has nothing mended that is whole.
//
// # What is found
//
// Reasons are those of the repair loops of kube-apiserver where they tell of the
// same. "The server" is kube-apiserver with its own loops, which always run beside
// this one.
//
//	found                                  told as                     done
//	a number of a Service that is free     nothing                     adopted, at once; what is held
//	  or held in the ledger                                            after a question
//	one that is free, and was the          ClusterIPNotAllocated,      the block is restored
//	  Service's in the ledger before       PortNotAllocated
//	one that is on loan                    nothing                     the holder settles it, or the
//	                                                                   collector takes it back
//	two Services, or two ports for one     ClusterIPAlreadyAllocated,  nothing: the number stays used
//	  protocol, have one number            PortAlreadyAllocated        until the last one is gone
//	a number outside all ServiceCIDRs,     ClusterIPOutOfRange,        nothing: it is in the ledger
//	  or the range of node ports           PortOutOfRange              like others
//	a ClusterIP that is no address         ClusterIPNotValid           nothing
//	Services have all numbers there are    ServiceCIDRFull,            nothing: all else goes on
//	                                       PortRangeFull
//	a ClusterIP without IPAddress object,  ClusterIPNotAllocated       by the server, which tells it too:
//	  or with that of something else                                   told here if it does not act
//	an object of the server's without      IPAddressNotAllocated       by the server, as above
//	  a Service
//	one whose Service has other addresses  IPAddressWrongReference     by the server, as above
//	an object with other labels            nothing                     by the server
//	an object of somebody else             nothing                     nothing: the Store passes over
//	                                                                   numbers that have one
//	a number of the ledger, and no         nothing; it is counted      released
//	  Service's
//	a block that can't be read             BlockUnreadable             restored
//	one of a release too new to be read    BlockUnreadable             nothing: that release is at work
//	one that was deleted while in use, or  BlockLost                   restored
//	  brought back to an earlier state
//	a fault on the way                     UnknownError                tried again
//
// # Beside the server's own loops
//
// Each kube-apiserver tells what only people can mend every 3 minutes and with
// every change of the Service, without saying with whom a number is shared, nor
// what to do. It is told here too, once when it begins to last and again after
// half an hour: the events of kube-apiserver do not come where its range of ports
// differs from ours, nor before its next round, and they are counted nowhere.
//
// What the server mends within moments by itself is left to it: two loops that
// delete and make one IPAddress object would fight. It has told of it. Only if it
// lasts for longer than the server ever waits is something wrong with the server,
// and that is told here.
//
// # A block that is lost
//
// Services say which numbers they carry, nobody says which are in flight: given to
// requests that are still on their way, by replicas that can't know any more. So
// nothing of a block that was lost is given to anybody until no such request can
// live (Restore). That it was deleted while in use the Store sees itself, since it
// never deletes a block that is not empty, and tells it at once. Where no watch showed
// the deletion, it shows in that the ledger had the number of a Service, and has it no
// more. One that was seen by no watch and hit no Service's number, or happened before
// the leader's first look, stays unknown, and so does what a replica borrowed of a new
// block before its watch showed the end of the old one; then the API server's own
// allocator keeps numbers in flight apart, except load-balancer addresses.
//
// # Cost
//
// A full pass over 50,000 dual-stack Services and their 100,000 IPAddress objects,
// with nothing wrong, takes 32 ms of CPU, garbage collection included, and 6.3 MB in
// 5,401 allocations, measured by "go test -bench Look" on an AMD EPYC (family 26), Go
// 1.26. A map from numbers to Services alone takes 60 ms and 30 MB.
//
// It does no I/O and reads no clock.
package repair
