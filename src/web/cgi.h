/* cgi.h - one request as plain CGI (RFC 3875): environment and fd 0 in, fd 1
 * out. */

#ifndef POSTERN_WEB_CGI_H
#define POSTERN_WEB_CGI_H

#include "web/gateway.h"

/* Were we started as a CGI program: GATEWAY_INTERFACE and REQUEST_METHOD are set
 * and fd 0 is no listening socket? */
bool cgi_is_request(void);

/* The request this process was started for.  The body ends at CONTENT_LENGTH;
 * each wait is bounded by io_timeout_ms. */
void cgi_open(struct gateway *gateway, int io_timeout_ms);

#endif
