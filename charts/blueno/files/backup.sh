# Writes both databases into a new folder of /backups, and takes away the oldest of more than $KEEP.
set -eu
name=$(date -u +%Y-%m-%dT%H-%M-%SZ)
rm -rf /backups/.new-*
mkdir "/backups/.new-$name"
for database in hub blueno; do
    [ "$database" = hub ] && url=$HUB_URL || url=${OWNER_URL:-$SERVICE_URL}
    # The owner, too, sees the rows of the teams that it says: of all.
    PGOPTIONS="-c blueno.team=*" pg_dump --enable-row-security --format=custom --no-owner --file="/backups/.new-$name/$database" \
        --dbname="$(echo "$url" | sed 's/+psycopg2//')"
    pg_restore --list "/backups/.new-$name/$database" > /dev/null # it can be read
done
sync
mv "/backups/.new-$name" "/backups/$name"
echo "The databases are in backups/$name of the volume."
ls -1 /backups | sort -r | tail -n "+$((KEEP + 1))" | while read -r old; do
    rm -rf "/backups/$old"
done
