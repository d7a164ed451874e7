using NicHost.Contracts.Endpoints;

namespace NicHost.Contracts.Future;

/// <summary>What today's contracts do not have.</summary>
public interface IFutureEndpoint : IEndpoint;
