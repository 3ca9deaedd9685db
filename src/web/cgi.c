#include "web/cgi.h"
