module supaplane.dev/devcluster/pause

go 1.25.0
