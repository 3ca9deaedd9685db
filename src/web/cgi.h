/* cgi.h - one request as plain CGI (RFC 3875): environment and fd 0 in, fd 1
 * out. */

#ifndef POSTERN_WEB_CGI_H
#define POSTERN_WEB_CGI_H

#include "web/gateway.h"

/* Were we started as a CGI program: is REQUEST_METHOD set, and fd 0 no
 * listening socket?  (GATEWAY_INTERFACE should be set as well, RFC 3875 4.1.4;
 * a request tried by hand mostly goes without.) */
bool cgi_is_request(void);

/*
 * The request this process was started for.  The body is as long as
 * CONTENT_LENGTH says, or, of a request in chunks, goes to the end of fd 0; each
 * wait for bytes is bounded by io_timeout_ms.
 */
void cgi_open(struct gateway *gateway, int io_timeout_ms);

/* The answer is written: let the server get rid of what is left of the body, for
 * two seconds at most, so that it comes to read the answer.  The process may end
 * then. */
void cgi_finish(void);

#endif
