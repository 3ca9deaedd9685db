# Completion of posternctl for bash; installed as
# /usr/share/bash-completion/completions/posternctl, or read with ".".

# The options and fixed operands of a command.
_posternctl_words() {
	local statuses="confirmed unconfirmed force-change-password
	    reset-required external-provider disabled"

	case $1 in
	"") echo "migrate check calibrate key api-key user session audit
	    throttle hash" ;;
	key) echo "new list retire revoke" ;;
	api-key) echo "create list revoke" ;;
	user) echo "add import set-password set-status show list
	    delete" ;;
	session) echo "list revoke cleanup" ;;
	audit) echo "list" ;;
	throttle) echo "show list clear" ;;
	hash) echo "make check" ;;
	"user set-status") echo "$statuses" ;;
	esac
	case $1 in
	migrate) echo "--dry-run" ;;
	calibrate) echo "--latency-ms --memory-mib" ;;
	"key new") echo "--algorithm --sign-in-seconds" ;;
	"api-key create") echo "--scope --user --name --expires-days" ;;
	"api-key list") echo "--user --after --limit" ;;
	"user add") echo "--name --status --no-password --password-stdin" ;;
	"user import") echo "--dry-run --status --ignore-unknown" ;;
	"user set-password") echo "--force-change --password-stdin" ;;
	"user list") echo "--status --after --limit" ;;
	"user delete") echo "--yes" ;;
	"session list") echo "--all --ended --after --limit" ;;
	"session revoke") echo "--user" ;;
	"session cleanup") echo "--days --audit-days" ;;
	"hash make") echo "--password-stdin" ;;
	"hash check") echo "--hash-file --password-stdin" ;;
	"audit list") echo "--unknown --after --limit" ;;
	"throttle list") echo "--after --limit" ;;
	esac
	echo "--config --json --verbose --help --version"
}

# The values of an option; nothing where only the user can know.
_posternctl_values() {
	case $1 in
	--algorithm) echo "es256 eddsa" ;;
	--scope) echo "publishable secret" ;;
	--status)
		echo "confirmed unconfirmed force-change-password" \
		    "reset-required external-provider disabled" ;;
	esac
}

_posternctl() {
	local word=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]}
	local command="" i

	COMPREPLY=()
	case $before in
	--config | --hash-file)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return ;;
	--after | --algorithm | --audit-days | --days | --expires-days | \
	    --latency-ms | --limit | --memory-mib | --name | --scope | \
	    --sign-in-seconds | --status | --user)
		mapfile -t COMPREPLY < <(compgen -W \
		    "$(_posternctl_values "$before")" -- "$word")
		return ;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--config) ((i++)) ;;
		-*) ;;
		migrate | check | calibrate)
			command=${COMP_WORDS[i]}
			break ;;
		*)
			if [ -n "$command" ]; then
				command="$command ${COMP_WORDS[i]}"
				break
			fi
			command=${COMP_WORDS[i]} ;;
		esac
	done
	mapfile -t COMPREPLY < <(compgen -W "$(_posternctl_words "$command")" \
	    -- "$word")
}

complete -F _posternctl posternctl
