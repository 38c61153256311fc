// The door to libnftnl and libmnl. The headers of libnftnl need the two standard ones before them.
#ifndef PENSTOCK_CNETFILTER_SHIM_H
#define PENSTOCK_CNETFILTER_SHIM_H

#include <stddef.h>
#include <stdint.h>

// Before the kernel's own headers, which then leave out what it declares.
#include <netinet/in.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/gen.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#endif
