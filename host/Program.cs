using NicHost.Host.Commands;

return await CommandLine.RunAsync(args);
