# bash completion for aduana(1)

_aduana() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-}
    local options='' words='' files=0
    local broker='--host --port --unix --cafile --capath --cert --key --username --password-file --id --timeout --json'
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words='check explain test passwd detect status sessions certs topics reload kick --help --version'
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        return
    fi
    case $previous in
    --color) words='auto always never' ;;
    --qos) words='0 1 2' ;;
    --as) words='cert.cn= cert.ou= cert.o= client_id= username=' && compopt -o nospace 2>/dev/null ;;
    --cafile | --cert | --key | --password-file | --unix | --junit) files=1 ;;
    --capath) files=2 ;;
    --live | --host | --port | --username | --id | --timeout | --iterations | --warn-days | --critical-days | --lifetime-most-days | --payload-bytes | --from | --at) return ;;
    *)
        case $command in
        check) options='--strict --json --color' files=2 ;;
        explain)
            options="--as --live --qos --retain --payload-bytes --from --at --all $broker"
            words='connect publish subscribe receive' files=2
            ;;
        test) options='--quiet --junit --json' files=2 ;;
        passwd) options='-c -D --check --pbkdf2 --argon2id --iterations --old-until' files=1 ;;
        detect) options='--json --scores' files=1 ;;
        status | sessions) options=$broker ;;
        certs) options="--warn-days --critical-days --lifetime-most-days $broker" files=1 ;;
        topics) options="--in-use $broker" ;;
        reload) options="--wait $broker" ;;
        kick) options="--no-will $broker" ;;
        *) return ;;
        esac
        [[ $current != -* ]] || words="$options --help" files=0
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    case $files in
    1) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$current") && compopt -o filenames 2>/dev/null ;;
    2) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$current") && compopt -o filenames 2>/dev/null ;;
    esac
}
complete -F _aduana aduana
