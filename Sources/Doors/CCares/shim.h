// The door to c-ares.
#ifndef PENSTOCK_CCARES_SHIM_H
#define PENSTOCK_CCARES_SHIM_H

#include <arpa/nameser.h>
#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/select.h>
#include <sys/socket.h>

#endif
